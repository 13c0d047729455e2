// The far end of the clients under test: a WebSocket server in C, one thread on epoll (Linux), so fast that
// the client is the bottleneck. Prints its port as the first line. Supports no TLS, extensions or limits.
//     cc -O2 far-end.c -o far-end
//
// --mode echo   sends every message back with its type
// --mode sink   reads and discards
// --mode flood  after the first message, sends messages of --size bytes endlessly (--text: as text)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static enum { ECHO_ALL, SINK, FLOOD } mode = ECHO_ALL;
static size_t size = 64;
static int is_text = 0;

// ---- the accept value (RFC 6455 section 4.2.2)
static uint32_t rotl(uint32_t x, int n) { return x << n | x >> (32 - n); }
static void sha1(const uint8_t* d, size_t n, uint8_t* digest) {  // up to 119 bytes
  uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  uint8_t block[128] = {0};
  memcpy(block, d, n);
  block[n] = 0x80;
  size_t total = (n + 9 + 63) / 64 * 64;
  for (int i = 0; i < 8; i++) block[total - 1 - i] = (uint64_t)(n * 8) >> (8 * i);
  for (size_t at = 0; at < total; at += 64) {
    uint32_t w[80];
    for (int i = 0; i < 16; i++)
      w[i] = (uint32_t)block[at + 4 * i] << 24 | block[at + 4 * i + 1] << 16 | block[at + 4 * i + 2] << 8 |
             block[at + 4 * i + 3];
    for (int i = 16; i < 80; i++) w[i] = rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    uint32_t a = h[0], b = h[1], c = h[2], e = h[3], f = h[4];
    for (int i = 0; i < 80; i++) {
      uint32_t mix, constant;
      if (i < 20)
        mix = (b & c) | (~b & e), constant = 0x5A827999;
      else if (i < 40)
        mix = b ^ c ^ e, constant = 0x6ED9EBA1;
      else if (i < 60)
        mix = (b & c) | (b & e) | (c & e), constant = 0x8F1BBCDC;
      else
        mix = b ^ c ^ e, constant = 0xCA62C1D6;
      uint32_t next = rotl(a, 5) + mix + f + constant + w[i];
      f = e;
      e = c;
      c = rotl(b, 30);
      b = a;
      a = next;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += e, h[4] += f;
  }
  for (int i = 0; i < 20; i++) digest[i] = h[i / 4] >> (24 - 8 * (i % 4));
}
static void base64(const uint8_t* d, int n, char* out) {
  static const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int i = 0; i < n; i += 3) {
    uint32_t v = d[i] << 16 | (i + 1 < n ? d[i + 1] << 8 : 0) | (i + 2 < n ? d[i + 2] : 0);
    *out++ = digits[v >> 18];
    *out++ = digits[v >> 12 & 63];
    *out++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
    *out++ = i + 2 < n ? digits[v & 63] : '=';
  }
  *out = 0;
}

// ---- connections
struct conn {
  int fd, is_open, wants_out, is_flooding;
  char* head;  // the upgrade request, until it is complete
  size_t head_length;
  uint8_t header[14];  // of the current frame
  int header_length, in_payload;
  uint64_t length, got;
  uint8_t key[4];
  uint8_t* queue;  // bytes that the kernel has not accepted
  size_t queued, taken, capacity;
  size_t flood_at;
};
static int ep;
static uint8_t *in, *reply;
static const size_t IN = 1 << 18;
static size_t reply_length;
static uint8_t* flood_frames;
static size_t flood_length;

static void watch(struct conn* c, int out) {
  if (c->wants_out == out) return;
  c->wants_out = out;
  struct epoll_event e = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
static void enqueue(struct conn* c, const uint8_t* p, size_t n) {
  if (c->queued + n > c->capacity) {
    memmove(c->queue, c->queue + c->taken, c->queued - c->taken);
    c->queued -= c->taken;
    c->taken = 0;
    if (c->queued + n > c->capacity) {
      c->capacity = (c->queued + n) * 3 / 2;
      c->queue = realloc(c->queue, c->capacity);
    }
  }
  memcpy(c->queue + c->queued, p, n);
  c->queued += n;
}
static void send_all(struct conn* c, const uint8_t* p, size_t n) {
  if (c->queued == c->taken) {
    ssize_t w = send(c->fd, p, n, MSG_NOSIGNAL);
    if (w > 0) p += w, n -= w;
  }
  if (n == 0) return;
  enqueue(c, p, n);
  watch(c, 1);
}
static void flush_queue(struct conn* c) {
  while (c->taken < c->queued) {
    ssize_t w = send(c->fd, c->queue + c->taken, c->queued - c->taken, MSG_NOSIGNAL);
    if (w < 0) return;
    c->taken += w;
  }
  c->queued = c->taken = 0;
  watch(c, 0);
}
static void flood(struct conn* c) {
  while (c->queued == c->taken) {
    ssize_t w = send(c->fd, flood_frames + c->flood_at, flood_length - c->flood_at, MSG_NOSIGNAL);
    if (w < 0) {
      watch(c, 1);
      return;
    }
    c->flood_at = (c->flood_at + w) % flood_length;
  }
}
static void close_conn(struct conn* c) {
  close(c->fd);
  free(c->queue);
  free(c->head);
  free(c);
}

// ---- frames (RFC 6455 section 5.2)
static size_t put_header(uint8_t* d, int first, uint64_t n) {
  size_t at = 0;
  d[at++] = first;
  if (n < 126) {
    d[at++] = n;
  } else if (n < 65536) {
    d[at++] = 126;
    d[at++] = n >> 8;
    d[at++] = n;
  } else {
    d[at++] = 127;
    for (int i = 7; i >= 0; i--) d[at++] = n >> (8 * i);
  }
  return at;
}
static void build_flood(void) {
  size_t frames = size < 65536 ? (1 << 18) / (size + 10) + 1 : 1;
  flood_frames = malloc(frames * (size + 10));
  for (size_t i = 0; i < frames; i++) {
    flood_length += put_header(flood_frames + flood_length, 0x80 | (is_text ? 1 : 2), size);
    memset(flood_frames + flood_length, 'a' + i % 26, size);
    flood_length += size;
  }
}
static void unmask(uint8_t* d, const uint8_t* s, size_t n, const uint8_t* key, uint64_t phase) {
  uint8_t turned[8];
  for (int i = 0; i < 8; i++) turned[i] = key[(phase + i) & 3];
  uint64_t word;
  memcpy(&word, turned, 8);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t v;
    memcpy(&v, s + i, 8);
    v ^= word;
    memcpy(d + i, &v, 8);
  }
  for (; i < n; i++) d[i] = s[i] ^ turned[i & 7];
}
// Takes header bytes one at a time; returns 1 once the header is complete.
static int read_header(struct conn* c, uint8_t byte) {
  c->header[c->header_length++] = byte;
  if (c->header_length < 2) return 0;
  int length7 = c->header[1] & 127, is_masked = c->header[1] & 128;
  int extended = length7 == 126 ? 2 : length7 == 127 ? 8 : 0;
  if (c->header_length < 2 + extended + (is_masked ? 4 : 0)) return 0;
  c->length = extended == 0 ? length7 : 0;
  for (int i = 0; i < extended; i++) c->length = c->length << 8 | c->header[2 + i];
  memset(c->key, 0, 4);
  if (is_masked) memcpy(c->key, c->header + 2 + extended, 4);
  c->header_length = 0;
  c->got = 0;
  return 1;
}
// Returns 1 if the connection has ended.
static int read_frames(struct conn* c, const uint8_t* p, size_t n) {
  int is_over = 0;
  reply_length = 0;
  for (size_t at = 0; at < n || (c->in_payload && c->got == c->length);) {
    if (!c->in_payload) {
      if (!read_header(c, p[at++])) continue;
      c->in_payload = 1;
      int is_control = c->header[0] & 8;
      int first = c->header[0] == 0x89 ? 0x8a : c->header[0];  // a Pong for a Ping
      if (mode == ECHO_ALL || is_control) reply_length += put_header(reply + reply_length, first, c->length);
    }
    size_t part = c->length - c->got < n - at ? c->length - c->got : n - at;
    if (mode == ECHO_ALL || c->header[0] & 8) {
      unmask(reply + reply_length, p + at, part, c->key, c->got);
      reply_length += part;
    }
    at += part;
    c->got += part;
    if (c->got < c->length) break;
    c->in_payload = 0;
    int opcode = c->header[0] & 15;
    if (opcode == 8) is_over = 1;
    if (mode == FLOOD && opcode < 3) c->is_flooding = 1;
  }
  if (reply_length > 0) send_all(c, reply, reply_length);
  if (c->is_flooding) flood(c);
  return is_over;
}

// ---- the upgrade; returns the number of its bytes, or -1 if it is invalid
static ssize_t read_upgrade(struct conn* c, const uint8_t* p, size_t n) {
  if (c->head == NULL) c->head = malloc(8192);
  if (c->head_length + n > 8191) return -1;
  size_t before = c->head_length;
  memcpy(c->head + before, p, n);
  c->head_length += n;
  c->head[c->head_length] = 0;
  char* end = strstr(c->head, "\r\n\r\n");
  if (end == NULL) return n;
  char* key = strcasestr(c->head, "\r\nsec-websocket-key:");
  if (key == NULL) return -1;
  key += strlen("\r\nsec-websocket-key:");
  while (*key == ' ') key++;
  char joined[96], accept[32], response[256];
  uint8_t digest[20];
  int length = strcspn(key, "\r ");
  if (length > 40) return -1;
  snprintf(joined, sizeof joined, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", length, key);
  sha1((uint8_t*)joined, strlen(joined), digest);
  base64(digest, 20, accept);
  int total = snprintf(response, sizeof response,
                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Accept: %s\r\n\r\n",
                       accept);
  send_all(c, (uint8_t*)response, total);
  c->is_open = 1;
  ssize_t used = end + 4 - c->head - before;
  free(c->head);
  c->head = NULL;
  return used;
}

static void on_readable(struct conn* c) {
  ssize_t n = recv(c->fd, in, IN, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    close_conn(c);
    return;
  }
  ssize_t used = 0;
  if (!c->is_open) {
    used = read_upgrade(c, in, n);
    if (used < 0) {
      close_conn(c);
      return;
    }
  }
  if (c->is_open && used < n && read_frames(c, in + used, n - used)) close_conn(c);
}
static void accept_all(int listener) {
  for (int fd; (fd = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0;) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct conn* c = calloc(1, sizeof *c);
    c->fd = fd;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
  }
}
static int start_listening(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof a;
  if (bind(listener, (void*)&a, length) || listen(listener, 4096)) {
    perror("far-end");
    exit(2);
  }
  getsockname(listener, (void*)&a, &length);
  printf("%d\n", ntohs(a.sin_port));
  fflush(stdout);
  return listener;
}
int main(int ac, char** av) {
  static struct option options[] = {{"mode", 1, 0, 'm'}, {"size", 1, 0, 's'}, {"text", 0, 0, 't'}, {0}};
  for (int o; (o = getopt_long(ac, av, "", options, 0)) != -1;) switch (o) {
      case 'm':
        mode = !strcmp(optarg, "sink") ? SINK : !strcmp(optarg, "flood") ? FLOOD : ECHO_ALL;
        break;
      case 's':
        size = atol(optarg);
        break;
      case 't':
        is_text = 1;
        break;
      default:
        return 2;
    }
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // if the parent has exited
  if (mode == FLOOD) build_flood();
  in = malloc(IN);
  reply = malloc(IN * 8 + 4096);  // the largest reply, to a chunk of headers only
  ep = epoll_create1(0);
  int listener = start_listening();
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(ep, EPOLL_CTL_ADD, listener, &e);
  for (;;) {
    struct epoll_event events[512];
    int n = epoll_wait(ep, events, 512, -1);
    for (int i = 0; i < n; i++) {
      struct conn* c = events[i].data.ptr;
      if (c == NULL) {
        accept_all(listener);
        continue;
      }
      if (events[i].events & EPOLLOUT) {
        flush_queue(c);
        if (c->is_flooding) flood(c);
      }
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) on_readable(c);
    }
  }
}
