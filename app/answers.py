"""Answers to a browser are not lost when a page begins to run at the same moment.

Before each run of a page, Streamlit (up to 1.67) forgets what it has not sent yet. With what the
page had drawn goes the answer to "where may I put this file?": the file that a user has just chosen
is never sent, without a word.
"""

from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

_ANSWERS = ("file_urls_response", "backend_operation_response")


def keep_answers() -> None:
    """Let Streamlit keep answers that wait to be sent; a second call changes nothing."""
    forget = ForwardMsgQueue.clear
    if getattr(forget, "keeps_answers", False):
        return

    def clear(
        queue: ForwardMsgQueue,
        retain_lifecycle_msgs: bool = False,
        fragment_ids_this_run: list[str] | None = None,
    ) -> None:
        waiting = queue._queue if retain_lifecycle_msgs else []
        answers = [message for message in waiting if message.WhichOneof("type") in _ANSWERS]
        forget(queue, retain_lifecycle_msgs, fragment_ids_this_run)
        known = {id(message) for message in queue._queue}
        queue._queue += [message for message in answers if id(message) not in known]

    clear.keeps_answers = True  # type: ignore[attr-defined]
    ForwardMsgQueue.clear = clear  # type: ignore[method-assign, assignment]
