"""Findings of the template checks that stand as they are, each with its reason, beside the resource it is
about.
"""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def accept(construct: IConstruct, reasons: dict[str, str]) -> None:
    """Accept findings of this construct: rule id, with the detail in brackets where a rule has one, to
    reason.
    """
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=rule, reason=why) for rule, why in reasons.items())
    )
