import smtplib
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from deploy.embedded.errors import StackError
from deploy.embedded.mail import mail_server
from deploy.embedded.ports import free_port


def test_each_message_is_kept_as_a_file(tmp_path: Path) -> None:
    port = free_port()
    message = EmailMessage()
    message["From"], message["To"] = "nhip-so@example.vn", "ubnd@example.vn"
    message["Subject"] = "Chậm tiến độ"
    message.set_content("Tỉnh Lào Cai")

    with mail_server(tmp_path, port), smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(message)
        client.send_message(message)

    kept = [
        message_from_bytes(file.read_bytes(), policy=policy.default) for file in tmp_path.iterdir()
    ]
    assert [mail["Subject"] for mail in kept] == ["Chậm tiến độ"] * 2


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    port = free_port()
    with (
        mail_server(tmp_path, port),
        pytest.raises(StackError, match="--port-base"),
        mail_server(tmp_path, port),
    ):
        pass
