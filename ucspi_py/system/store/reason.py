"""Why a store failed, in words: each library has errors of its own."""

from ...core.errors import error_words


def reason(error: Exception) -> str:
    """Tell in words, without a dot at their end."""
    number = error.errno if isinstance(error, OSError) else None
    if number:
        return error_words(number)
    return "timed out" if isinstance(error, TimeoutError) else str(error).rstrip(".")
