"""check_policy_service: a policy service is told of the command, and says what an access table would say."""

from ....policy import asking
from ...policy.settings import PolicySettings
from ..checks.actions import act
from ..evaluation import Evaluation, Subject
from ..judgement import Verdict
from ..questions import PolicyFailure
from ..restriction import Restriction
from .attributes import attributes

#: Questions about one command: an action may be a list of classes, each of which asks once more.
_MOST = 30


def policy_service(evaluation: Evaluation, restriction: Restriction, subject: Subject) -> Verdict:
    """check_policy_service: the action of its reply, or the default action (smtpd_check.c, check_policy_service)."""
    service = restriction.service
    if evaluation.services_asked == _MOST:
        evaluation.fail(f"policy service {service} has more than {_MOST} questions asked about one command")
    settings = service.settings(evaluation.settings.policy or PolicySettings())
    action = evaluation.policy(service, asking.request(attributes(evaluation, settings.policy_context)))
    if action is PolicyFailure.UNASKED:
        return Verdict.DUNNO
    if isinstance(action, PolicyFailure):
        action = settings.default_action
    return act(evaluation, service, action, subject, once=True)
