"""Handing a digest to a mail server, and what its answer means (RFC 5321)."""

import asyncio
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime

from schemas.receivers import Secret, Smtp
from streams.alerts.channels.sending import NotNow, RefusedByReceiver
from streams.alerts.messages.digest_text import Letter

# Replies from which on a mail server says that another time will not help.
PERMANENT = 500


@dataclass(frozen=True)
class MailServer:
    """One mail server."""

    receiver: Smtp

    async def send(self, letter: Letter) -> None:
        """Hand a digest over. Raises Refused or NotNow unless it was taken."""
        await asyncio.to_thread(self._send, email(self.receiver.sender, letter))

    def _send(self, message: EmailMessage) -> None:
        try:
            server = self._connected()
            try:
                server.send_message(message)
            finally:
                # Once it was taken, a farewell that fails means nothing.
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()
        except smtplib.SMTPAuthenticationError as error:
            raise NotNow("the mail server does not accept user and password") from error
        except smtplib.SMTPRecipientsRefused as error:
            raise _judged(max(code for code, _ in error.recipients.values())) from error
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise _judged(error.smtp_code) from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotNow(f"the mail server did not take it: {type(error).__name__}") from error

    def _connected(self) -> smtplib.SMTP:
        it = self.receiver
        if it.tls == "tls":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                it.host, it.port, timeout=it.timeout, context=context
            )
        else:
            server = smtplib.SMTP(it.host, it.port, timeout=it.timeout)
        try:
            if it.tls == "starttls":
                server.starttls(context=ssl.create_default_context())
            if it.user and it.password:
                server.login(it.user, _password(it.password))
        except BaseException:
            server.close()
            raise
        return server


def _password(secret: Secret) -> str:
    try:
        return secret.read()
    except ValueError as error:
        raise NotNow(str(error)) from error


def _judged(code: int) -> RefusedByReceiver | NotNow:
    if code >= PERMANENT:
        return RefusedByReceiver(f"smtp-{code}", f"refused with SMTP reply {code}")
    return NotNow(f"SMTP reply {code}")


def email(sender: str, letter: Letter) -> EmailMessage:
    """A digest as it is sent."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, letter.to, letter.subject
    message["Date"], message["Message-ID"] = format_datetime(letter.at), letter.key
    message["Auto-Submitted"] = "auto-generated"  # so that no one's absence is answered to it
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message
