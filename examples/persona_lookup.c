/* Prints the daemon's answer about a Tox device as one line of JSON, for prompts and scripts: cc -O2 -o persona-lookup persona_lookup.c */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int refuse(const char *what, const char *why, int status) {
  fprintf(stderr, "%s: %s\n", what, why);
  return status;
}

int main(int count, char **args) {
  if (count != 3) return refuse("usage", "persona-lookup SOCKET TOXPK", 2);
  const char *path = args[1], *key = args[2];
  /* A key is hex, so nothing in it needs an escape in JSON. */
  if (*key == '\0' || strlen(key) > 76 || strspn(key, "0123456789ABCDEFabcdef") != strlen(key))
    return refuse(key, "this is no key in hex", 2);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return refuse(path, "this path is too long for a socket", 2);
  strcpy(address.sun_path, path);
  int daemon = socket(AF_UNIX, SOCK_STREAM, 0);
  if (daemon < 0 || connect(daemon, (struct sockaddr *)&address, sizeof address) < 0)
    return refuse(path, strerror(errno), 1);

  char frame[256];
  const char *form = "{\"type\":\"rpc\",\"data\":{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"lookup\",\"params\":{\"query\":\"%s\"}}}\f";
  int length = snprintf(frame, sizeof frame, form, key);
  if (send(daemon, frame, length, MSG_NOSIGNAL) != length) return refuse(path, strerror(errno), 1);

  /* The answer is one frame of at most a mebibyte. A form feed ends it. */
  static char answer[1048577];
  size_t have = 0;
  while (have < sizeof answer) {
    ssize_t more = recv(daemon, answer + have, sizeof answer - have, 0);
    if (more <= 0) return refuse(path, "the daemon closed the connection", 1);
    char *end = memchr(answer + have, '\f', more);
    have += more;
    if (end == NULL) continue;
    fwrite(answer, 1, end - answer, stdout);
    if (putchar('\n') == EOF || fflush(stdout) == EOF) return refuse("stdout", strerror(errno), 1);
    return 0;
  }
  return refuse(path, "the answer has no end", 1);
}
