"""The gradient that attacks usually follow: what float32 leaves of the cross-entropy's."""

from core.arrays import Tensor
from core.backend import tf
from core.network.classifier import Classifier


class WithUsualGradient(Classifier):
    """The same network, attacked by TensorFlow's own gradient of the cross-entropy.

    It is made of p − 1 in float32: rounded where the network is sure, and 0 where p rounds to 1.
    To show what that costs: every attack that follows the cross-entropy takes it as it takes
    another classifier. Foolbox, ART and CleverHans follow the same gradient.
    """

    def __init__(self, classifier: Classifier) -> None:
        version = f"{classifier.version} with the usual gradient"
        super().__init__(classifier.model, name=classifier.name, version=version)

    @staticmethod
    def climbed(logits: Tensor, classes: Tensor) -> Tensor:
        """In graphs: −log p of each image's class as TensorFlow has it: [n]."""
        return tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits)


def with_usual_gradient(classifier: Classifier) -> Classifier:
    """The one that is kept with the classifier, because it has graphs of its own."""
    kept: Classifier = classifier.compiled(
        "with the usual gradient", lambda _: WithUsualGradient(classifier)
    )
    return kept
