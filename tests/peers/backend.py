"""A backend for our gate beside Postfix."""

#: A backend that says what Postfix says, and starts quickly.
BACKEND = r"""
printf '220 backend ESMTP\r\n'
while IFS= read -r line; do
  case $line in
    EHLO*|HELO*) printf '250-backend\r\n250 8BITMIME\r\n' ;;
    MAIL*) printf '250 2.1.0 Ok\r\n' ;;
    RCPT*) printf '250 2.1.5 Ok\r\n' ;;
    RSET*) printf '250 2.0.0 Ok\r\n' ;;
    QUIT*) printf '221 2.0.0 Bye\r\n'; exit 0 ;;
    DATA*)
      printf '354 End data\r\n'
      while IFS= read -r line && [ "$line" != "$(printf '.\r')" ]; do :; done
      printf '250 2.0.0 Ok: queued\r\n' ;;
  esac
done
"""
