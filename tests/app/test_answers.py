"""The answer to "where may I put this file?" reaches the browser, whatever runs meanwhile."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# In processes of their own, because Streamlit is changed for good.
CODE = """
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from app.answers import keep_answers

for _ in range({calls}):
    keep_answers()
queue = ForwardMsgQueue()
for kind in ("delta", "file_urls_response", "script_finished"):
    message = ForwardMsg()
    if kind == "delta":
        message.delta.new_element.markdown.body = "drawn"
    elif kind == "file_urls_response":
        message.file_urls_response.response_id = "7"
    else:
        message.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY
    queue.enqueue(message)
queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run={fragments})
kinds = [message.WhichOneof("type") for message in queue.flush()]
assert kinds.count("file_urls_response") == {kept}, kinds
assert queue.is_empty()
"""


@pytest.mark.parametrize("fragments", [None, ["a"]])
def test_an_answer_is_kept_once(fragments):
    code = CODE.format(calls=2, fragments=fragments, kept=1)
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_streamlit_alone_loses_it():
    """If this fails, `app/answers.py` is not needed any more."""
    code = CODE.format(calls=0, fragments=None, kept=0)
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_app_keeps_answers(open_page, home):
    open_page("study")
    from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

    assert getattr(ForwardMsgQueue.clear, "keeps_answers", False)
