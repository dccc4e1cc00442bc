"""The mapping templates of the mutations that publish: AppSync hands on what it is given. No CDK here."""

REQUEST = '{"version":"2018-05-29","payload":$util.toJson($context.arguments.input)}'
RESPONSE = "$util.toJson($context.result)"
"""A mutation gives what it was given: subscribers get it, and nothing keeps it."""
