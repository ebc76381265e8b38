/*
 * The same calls as sluice's native engine, from C: what remains of a datagram's cost when the language is taken away.
 * One thread, IPv4, one endpoint, a connected socket per session, no limits, no counters, no reload.
 *
 *     proxy LISTEN:PORT ENDPOINT:PORT [gso-up=1] [gso-down=1] [gather-us=50] [edge=0] [recv-one=1] [idle-ms=3000]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { SLOTS = 64, EVENTS = 512, MAX_SESSIONS = 1 << 17, TABLE = 1 << 18, STRIDE = 65536 + 64 };
enum { MAX_SEGMENTS = 64, MAX_JOINED = 65507, SWEEPS = 32 };

struct session {
  uint64_t key; /* address and port as received; 0: free */
  struct sockaddr_in client;
  int fd;
  int burst;       /* datagrams that last went to the endpoint together: as many answers may wait */
  int first, last; /* slots of this batch; -1: none */
  uint32_t seen_ms;
};

static struct session sessions[MAX_SESSIONS];
static int table[TABLE]; /* session + 1; 0: empty */
static int free_list[MAX_SESSIONS], free_count;

static char *payload;
static struct mmsghdr in[SLOTS];
static struct iovec in_part[SLOTS];
static struct sockaddr_in in_name[SLOTS];
static int next_slot[SLOTS];

static struct mmsghdr out[SLOTS];
static struct iovec out_part[SLOTS];
static char out_control[SLOTS][CMSG_SPACE(sizeof(uint16_t))];
static int out_count, out_parts;

static int listener, poller;
static struct sockaddr_in endpoint;
static uint32_t now_ms;
static int gso_up = 1, gso_down = 1, gather_us = 50, edge = 0, recv_one = 1, idle_ms = 3000;
static int carried; /* datagrams of this round */

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double clock_exact_ms(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* As the engine's (src/dataplane/udp/native/pace.ts): whether to pause for a batch to gather. */
static int worth_pausing(double ms) {
  static double window_start, in_window, cpu_at_start, began_at;
  static int windows;
  in_window += carried;
  double elapsed = ms - window_start;
  if (elapsed >= 8) {
    double per_ms = in_window / elapsed, least = 0.7 * began_at > 20 ? 0.7 * began_at : 20;
    double cpu = clock_exact_ms(CLOCK_THREAD_CPUTIME_ID);
    if (began_at > 0) {
      if (++windows >= 50 || per_ms < least) began_at = windows = 0;
    } else {
      windows = per_ms >= least && cpu - cpu_at_start > 0.85 * elapsed ? windows + 1 : 0;
      if (windows == 3) began_at = per_ms, windows = 0;
    }
    window_start = ms;
    cpu_at_start = cpu;
    in_window = 0;
  }
  return began_at > 0 && carried > 0 && carried < SLOTS;
}

static uint32_t slot_of(uint64_t key) {
  return (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 46) & (TABLE - 1);
}

static struct session *find(uint64_t key) {
  for (uint32_t i = slot_of(key);; i = (i + 1) & (TABLE - 1)) {
    if (!table[i]) return NULL;
    if (sessions[table[i] - 1].key == key) return &sessions[table[i] - 1];
  }
}

static struct session *open_session(uint64_t key, const struct sockaddr_in *client) {
  if (!free_count) return NULL;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return NULL;
  if (connect(fd, (struct sockaddr *)&endpoint, sizeof endpoint) < 0) {
    close(fd);
    return NULL;
  }
  int index = free_list[--free_count];
  struct session *s = &sessions[index];
  *s = (struct session){ .key = key, .client = *client, .fd = fd, .first = -1, .last = -1 };
  struct epoll_event event = { .events = EPOLLIN | (edge ? EPOLLET : 0), .data.u32 = (uint32_t)index };
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
  uint32_t i = slot_of(key);
  while (table[i]) i = (i + 1) & (TABLE - 1);
  table[i] = index + 1;
  return s;
}

static void close_session(int index) {
  uint32_t i = slot_of(sessions[index].key);
  while (table[i] != index + 1) i = (i + 1) & (TABLE - 1);
  /* Close the gap, so that what lies behind it is still found. */
  for (uint32_t j = i;;) {
    table[i] = 0;
    for (;;) {
      j = (j + 1) & (TABLE - 1);
      if (!table[j]) goto done;
      uint32_t home = slot_of(sessions[table[j] - 1].key);
      if (((j - home) & (TABLE - 1)) >= ((j - i) & (TABLE - 1))) break;
    }
    table[i] = table[j];
    i = j;
  }
done:
  close(sessions[index].fd);
  sessions[index].key = 0;
  free_list[free_count++] = index;
}

static void sweep(int part) {
  for (int i = part; i < MAX_SESSIONS; i += SWEEPS)
    if (sessions[i].key && now_ms - sessions[i].seen_ms > (uint32_t)idle_ms) close_session(i);
}

static void begin(struct sockaddr_in *to) {
  struct msghdr *m = &out[out_count].msg_hdr;
  m->msg_name = to;
  m->msg_namelen = to ? sizeof *to : 0;
  m->msg_iov = &out_part[out_parts];
  m->msg_iovlen = 0;
  m->msg_controllen = 0;
  out_count++;
}

static void append(int slot, size_t length) {
  out_part[out_parts++] = (struct iovec){ payload + (size_t)slot * STRIDE, length };
  out[out_count - 1].msg_hdr.msg_iovlen++;
}

static void segment(uint16_t size) {
  struct msghdr *m = &out[out_count - 1].msg_hdr;
  m->msg_control = out_control[out_count - 1];
  m->msg_controllen = sizeof out_control[0];
  struct cmsghdr *c = CMSG_FIRSTHDR(m);
  c->cmsg_len = CMSG_LEN(sizeof size);
  c->cmsg_level = SOL_UDP;
  c->cmsg_type = UDP_SEGMENT;
  memcpy(CMSG_DATA(c), &size, sizeof size);
}

static void flush(int fd) {
  for (int sent = 0; sent < out_count;) {
    int n = sendmmsg(fd, out + sent, (unsigned)(out_count - sent), MSG_DONTWAIT);
    sent += n > 0 ? n : 1;
  }
  out_count = out_parts = 0;
}

static void send_upstream(struct session *s) {
  int slot = s->first;
  if (next_slot[slot] < 0) {
    send(s->fd, payload + (size_t)slot * STRIDE, in[slot].msg_len, MSG_DONTWAIT);
    return;
  }
  while (slot >= 0) {
    unsigned size = in[slot].msg_len, total = 0, count = 0;
    begin(NULL);
    do {
      append(slot, in[slot].msg_len);
      total += in[slot].msg_len;
      count++;
      int was = slot;
      slot = next_slot[slot];
      if (in[was].msg_len != size) break; /* a shorter one ends a segmented send */
    } while (gso_up && slot >= 0 && size > 0 && in[slot].msg_len <= size && in[slot].msg_len > 0 &&
             count < MAX_SEGMENTS && total + in[slot].msg_len <= MAX_JOINED);
    if (count > 1) segment((uint16_t)size);
  }
  flush(s->fd);
}

static void from_clients(void) {
  static struct session *touched[SLOTS];
  int touched_count = 0;
  for (int i = 0; i < SLOTS; i++) {
    in[i].msg_hdr.msg_namelen = sizeof in_name[i];
    in[i].msg_hdr.msg_name = &in_name[i];
  }
  int count = recvmmsg(listener, in, SLOTS, MSG_DONTWAIT, NULL);
  if (count > 0) carried += count;
  for (int i = 0; i < count; i++) {
    uint64_t key = ((uint64_t)in_name[i].sin_addr.s_addr << 16) | in_name[i].sin_port;
    struct session *s = find(key);
    if (!s && !(s = open_session(key, &in_name[i]))) continue;
    s->seen_ms = now_ms;
    next_slot[i] = -1;
    if (s->first < 0) {
      s->burst = 0;
      s->first = i;
      touched[touched_count++] = s;
    } else
      next_slot[s->last] = i;
    s->last = i;
    s->burst++;
  }
  for (int i = 0; i < touched_count; i++) {
    send_upstream(touched[i]);
    touched[i]->first = -1;
  }
}

static int reply_slots;

static void flush_replies(void) {
  flush(listener);
  reply_slots = 0;
}

/* Replies of many sessions gather in the slots, and leave together. */
static void from_endpoint(struct session *s) {
  for (;;) {
    if (reply_slots == SLOTS) flush_replies();
    int first = reply_slots, room = SLOTS - first, count;
    if (recv_one && s->burst <= 1 && !edge) {
      ssize_t n = recv(s->fd, payload + (size_t)first * STRIDE, 65536, MSG_DONTWAIT);
      if (n < 0) return;
      in[first].msg_len = (unsigned)n;
      count = 1;
    } else {
      for (int i = first; i < SLOTS; i++) in[i].msg_hdr.msg_name = NULL, in[i].msg_hdr.msg_namelen = 0;
      count = recvmmsg(s->fd, in + first, (unsigned)room, MSG_DONTWAIT, NULL);
      if (count <= 0) return;
    }
    s->seen_ms = now_ms;
    reply_slots += count;
    carried += count;
    for (int i = first; i < first + count;) {
      unsigned size = in[i].msg_len, total = 0, joined = 0;
      begin(&s->client);
      do {
        append(i, in[i].msg_len);
        total += in[i].msg_len;
        joined++;
        i++;
        if (in[i - 1].msg_len != size) break;
      } while (gso_down && i < first + count && size > 0 && in[i].msg_len <= size && in[i].msg_len > 0 &&
               joined < MAX_SEGMENTS && total + in[i].msg_len <= MAX_JOINED);
      if (joined > 1) segment((uint16_t)size);
    }
    if (!edge || count < room) return;
  }
}

static struct sockaddr_in parse(char *text) {
  struct sockaddr_in a = { .sin_family = AF_INET };
  char *colon = strrchr(text, ':');
  if (!colon) fail(text);
  *colon = 0;
  if (inet_pton(AF_INET, text, &a.sin_addr) != 1) fail(text);
  a.sin_port = htons((uint16_t)atoi(colon + 1));
  return a;
}

static void option(const char *text) {
  static const struct {
    const char *name;
    int *value;
  } known[] = { { "gso-up=", &gso_up },     { "gso-down=", &gso_down }, { "edge=", &edge },
                { "gather-us=", &gather_us },
                { "recv-one=", &recv_one }, { "idle-ms=", &idle_ms } };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (!strncmp(text, known[i].name, strlen(known[i].name))) {
      *known[i].value = atoi(text + strlen(known[i].name));
      return;
    }
  fprintf(stderr, "unknown option %s\n", text);
  exit(2);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  struct sockaddr_in local = parse(argv[1]);
  endpoint = parse(argv[2]);
  for (int i = 3; i < argc; i++) option(argv[i]);

  struct rlimit limit = { MAX_SESSIONS + 100, MAX_SESSIONS + 100 };
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0 && !getrlimit(RLIMIT_NOFILE, &limit)) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  for (int i = MAX_SESSIONS; i--;) free_list[free_count++] = i;
  payload = aligned_alloc(64, (size_t)SLOTS * STRIDE);
  for (int i = 0; i < SLOTS; i++) {
    in_part[i] = (struct iovec){ payload + (size_t)i * STRIDE, 65536 };
    in[i].msg_hdr.msg_iov = &in_part[i];
    in[i].msg_hdr.msg_iovlen = 1;
  }
  listener = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  int size = 4 << 20;
  setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  if (bind(listener, (struct sockaddr *)&local, sizeof local) < 0) fail("bind");
  poller = epoll_create1(0);
  struct epoll_event event = { .events = EPOLLIN, .data.u32 = UINT32_MAX };
  if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) < 0) fail("epoll_ctl");
  puts("ready");
  fflush(stdout);

  static struct epoll_event events[EVENTS];
  prctl(PR_SET_TIMERSLACK, 1000);
  uint32_t swept_ms = (uint32_t)clock_exact_ms(CLOCK_MONOTONIC);
  for (int part = 0;;) {
    int count = epoll_wait(poller, events, EVENTS, 100);
    double ms = clock_exact_ms(CLOCK_MONOTONIC);
    now_ms = (uint32_t)ms;
    carried = 0;
    int listening = 0;
    for (int i = 0; i < count; i++) {
      if (events[i].data.u32 == UINT32_MAX) listening = 1;
      else from_endpoint(&sessions[events[i].data.u32]);
    }
    flush_replies();
    if (listening) from_clients();
    if (now_ms - swept_ms >= 100) {
      swept_ms = now_ms;
      sweep(part = (part + 1) % SWEEPS);
    }
    if (gather_us > 0 && worth_pausing(ms)) usleep((useconds_t)gather_us);
  }
}
