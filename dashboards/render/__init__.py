"""From deployed JSON to a page: reads Definitions alone, whoever wrote them; knows nothing of
declarations.
"""
