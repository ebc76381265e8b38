/*
 * Both ends of the TCP benchmark, as fast as one thread of C can be, so that the proxy in between is what is measured.
 *
 *     load serve                             an endpoint; prints its port. What a connection's first byte asks for:
 *                                            'E' everything sent back, 'S' bytes without end, 'D' bytes thrown away
 *     load stream PORT S|D COUNT SECONDS     COUNT connections that read (S) or write (D); prints bytes per second
 *     load rate PORT COUNT SECONDS           COUNT at a time: connect, 64 bytes there and back, reset; prints how many
 *     load idle PORT COUNT                   COUNT connections that have said 64 bytes; prints "ready", waits for stdin
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE = 64, CHUNK = 256 * 1024, EVENTS = 512, MAX_FDS = 1 << 18, PORTS_PER_ADDRESS = 20000 };

static char chunk[CHUNK];
static char kind[MAX_FDS];    /* of a served connection: 0 until its first byte */
static int left[MAX_FDS];     /* bytes that a client's exchange still waits for */
static struct epoll_event events[EVENTS];

static void die(const char *what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void watch(int poller, int operation, int fd, uint32_t what) {
  struct epoll_event event = {.events = what, .data.fd = fd};
  if (epoll_ctl(poller, operation, fd, &event) < 0) die("epoll_ctl");
}

static int open_socket(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  if (fd < 0 || fd >= MAX_FDS) die("socket");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/* A reset leaves no TIME_WAIT behind, so that the ports do not run out. */
static void reset_socket(int fd) {
  struct linger at_once = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(fd);
}

static int connect_to(int port, int number) {
  int fd = open_socket(), on = 1;
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + number / PORTS_PER_ADDRESS)};
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0) die("bind");
  if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) die("connect");
  return fd;
}

static void send_endlessly(int fd) {
  while (write(fd, chunk, CHUNK) > 0) {}
}

static int serve_readable(int fd) {
  for (;;) {
    ssize_t count = read(fd, chunk, CHUNK);
    if (count < 0 && errno == EAGAIN) return 1;
    if (count <= 0) return 0;
    if (!kind[fd]) kind[fd] = chunk[0];
    if (kind[fd] == 'E' && write(fd, chunk, count) != count) return 0;
    if (kind[fd] == 'S') {
      send_endlessly(fd);
      return 1;
    }
  }
}

static void serve(void) {
  int listener = open_socket(), poller = epoll_create1(EPOLL_CLOEXEC);
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof place;
  if (bind(listener, (struct sockaddr *)&place, length) < 0 || listen(listener, 4096) < 0) die("listen");
  getsockname(listener, (struct sockaddr *)&place, &length);
  printf("%d\n", ntohs(place.sin_port));
  fflush(stdout);
  watch(poller, EPOLL_CTL_ADD, listener, EPOLLIN);
  for (;;) {
    int count = epoll_wait(poller, events, EVENTS, -1);
    for (int index = 0; index < count; index++) {
      int fd = events[index].data.fd;
      if (fd == listener) {
        int accepted, on = 1;
        while ((accepted = accept4(listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
          setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
          kind[accepted] = 0;
          watch(poller, EPOLL_CTL_ADD, accepted, EPOLLIN | EPOLLOUT | EPOLLET);
        }
        continue;
      }
      int open = !(events[index].events & EPOLLIN) || serve_readable(fd);
      if (open && kind[fd] == 'S' && (events[index].events & EPOLLOUT)) send_endlessly(fd);
      if (!open || (events[index].events & (EPOLLERR | EPOLLHUP))) reset_socket(fd);
    }
  }
}

static void stream(int port, char what, int count, double seconds) {
  int poller = epoll_create1(EPOLL_CLOEXEC);
  int first = 0;
  for (int number = 0; number < count; number++) {
    int fd = connect_to(port, number);
    if (!first) first = fd;
    kind[fd] = 0;
    watch(poller, EPOLL_CTL_ADD, fd, EPOLLOUT);
  }
  uint64_t bytes = 0;
  double start = now(), end = start + seconds;
  while (now() < end) {
    int ready = epoll_wait(poller, events, EVENTS, 100);
    for (int index = 0; index < ready; index++) {
      int fd = events[index].data.fd;
      if (!kind[fd]) {
        if (write(fd, &what, 1) != 1) die("write");
        kind[fd] = what;
        if (what == 'S') watch(poller, EPOLL_CTL_MOD, fd, EPOLLIN);
        continue;
      }
      ssize_t moved = what == 'S' ? read(fd, chunk, CHUNK) : write(fd, chunk, CHUNK);
      if (moved == 0) errno = ECONNABORTED;
      if (moved <= 0 && errno != EAGAIN) die("stream");
      if (moved > 0) bytes += moved;
    }
  }
  printf("%.0f\n", bytes / (now() - start));
}

static void start_exchange(int poller, int port, int number) {
  int fd = connect_to(port, number);
  left[fd] = 0;
  watch(poller, EPOLL_CTL_ADD, fd, EPOLLOUT);
}

/* 1: the exchange is over. */
static int go_on(int poller, int fd) {
  char message[MESSAGE] = "E";
  if (left[fd] == 0) {
    if (write(fd, message, MESSAGE) != MESSAGE) die("write");
    left[fd] = MESSAGE;
    watch(poller, EPOLL_CTL_MOD, fd, EPOLLIN);
    return 0;
  }
  ssize_t count = read(fd, message, left[fd]);
  if (count == 0) errno = ECONNABORTED;
  if (count <= 0) die("the proxy closed the connection");
  left[fd] -= count;
  return left[fd] == 0;
}

static void rate(int port, int count, double seconds) {
  int poller = epoll_create1(EPOLL_CLOEXEC), done = 0;
  for (int number = 0; number < count; number++) start_exchange(poller, port, 0);
  double start = now(), end = start + seconds;
  while (now() < end) {
    int ready = epoll_wait(poller, events, EVENTS, 100);
    for (int index = 0; index < ready; index++) {
      int fd = events[index].data.fd;
      if (!go_on(poller, fd)) continue;
      reset_socket(fd);
      done++;
      start_exchange(poller, port, 0);
    }
  }
  printf("%.1f %d\n", done / (now() - start), done);
}

static void idle(int port, int count) {
  int poller = epoll_create1(EPOLL_CLOEXEC), done = 0, started = 0;
  while (done < count) {
    /* Few at a time, so that no queue of connections overflows. */
    while (started < count && started - done < 64) start_exchange(poller, port, started++);
    int ready = epoll_wait(poller, events, EVENTS, 100);
    for (int index = 0; index < ready; index++) {
      int fd = events[index].data.fd;
      if (!go_on(poller, fd)) continue;
      watch(poller, EPOLL_CTL_DEL, fd, 0);
      done++;
    }
  }
  puts("ready");
  fflush(stdout);
  char any;
  while (read(0, &any, 1) > 0) {}
}

int main(int count, char **words) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (count == 2 && !strcmp(words[1], "serve")) serve();
  else if (count == 6 && !strcmp(words[1], "stream")) stream(atoi(words[2]), words[3][0], atoi(words[4]), atof(words[5]));
  else if (count == 5 && !strcmp(words[1], "rate")) rate(atoi(words[2]), atoi(words[3]), atof(words[4]));
  else if (count == 4 && !strcmp(words[1], "idle")) idle(atoi(words[2]), atoi(words[3]));
  else return fprintf(stderr, "see the head of the source for its commands\n"), 2;
  return 0;
}
