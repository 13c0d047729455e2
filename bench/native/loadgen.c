// The load generator: one thread on epoll (Linux), so fast that the server under test is the bottleneck.
// Prints one line of JSON. It is one file, so that one compiler call builds it:
//     cc -O2 loadgen.c -lz -o loadgen
//
// --mode echo      messages out and back, --depth of them in flight per connection (or --rate per second in
// all)
// --mode idle      opens --conns, sends --touch messages on each, reads the memory of --pid
// --mode connrate  opens and closes connections, --conns at a time
// --mode bcast     sends bursts of --depth messages "B!..." that the server sends to every connection
//
// --port, --conns, --depth, --size, --text, --kind ascii|utf8|latin|json, --warmup and --duration in seconds,
// --pid of the server (its CPU time and memory), --deflate 0|1|nct|offer, --verify (compare every payload),
// --cpu (pin), --rate, --touch, --gcsig (SIGUSR2 to the server: in idle twice before the last reading, in bcast
// once before the warm-up), --gcwait (seconds after each), --link 1|2 (speak this version of the link protocol; with 2,
// of a session that acknowledges every 256th message, in idle each one), --frag (fragments per message), --path, --nsrc (number of source addresses),
// --openrate (connections opened per second)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}
static void die(const char* m) {
  fprintf(stderr, "loadgen: %s (%s)\n", m, strerror(errno));
  exit(2);
}

/* ---------- options ---------- */
static const char *mode = "echo", *path = "/", *kind = "ascii";
static int port, nconn = 100, depth = 1, opcode = 2, verify = 0, cpu = -1, touch = 0, gcsig = 0, frag = 0,
                 nsrc = 1;
static long size = 64;
static double warm = 1, dur = 3, rate = 0, gcwait = 1, openrate = 0;
static int pid = 0, linkver = 0;
// Bytes of the words that the server sent, with their frame headers.
static uint64_t word_bytes;
static int rec_words;
static const char* dmode = "0";
static int ext_ok = 0, cwb = 15;
static uint64_t npings;
// Pings that arrived in each tenth of a second of the last reading of --mode idle.
#define TENTHS 1200
static uint32_t tenths[TENTHS];
static uint64_t tenths_from;

/* ---------- histogram ---------- */
#define HB (64 * 64)
static uint64_t hist[HB], hcount;
static inline int hidx(uint64_t v) {
  if (v < 64) return v;
  int e = 63 - __builtin_clzll(v);
  int s = (v >> (e - 6)) & 63;
  return ((e - 5) * 64) + s;
}
static double hval(int i) {
  if (i < 64) return i;
  int e = i / 64 + 5, s = i % 64;
  return (double)((64ull + s) << (e - 6)) + (double)(1ull << (e - 6)) / 2;
}
static inline void hadd(uint64_t v) {
  int i = hidx(v);
  if (i >= HB) i = HB - 1;
  hist[i]++;
  hcount++;
}
static double hpct(double p) {
  uint64_t t = hcount * p, c = 0;
  for (int i = 0; i < HB; i++) {
    c += hist[i];
    if (c > t) return hval(i);
  }
  return 0;
}

/* ---------- server process metrics ---------- */
static clockid_t sclk;
static double scpu(void) {
  struct timespec t;
  if (!pid) return 0;
  if (clock_gettime(sclk, &t)) return 0;
  return t.tv_sec + t.tv_nsec / 1e9;
}
static void susage(double* u, double* s) {
  *u = *s = 0;
  if (!pid) return;
  char p[64];
  snprintf(p, 64, "/proc/%d/stat", pid);
  FILE* f = fopen(p, "r");
  if (!f) return;
  char b[2048];
  if (!fgets(b, 2048, f)) {
    fclose(f);
    return;
  }
  fclose(f);
  char* q = strrchr(b, ')');
  unsigned long ut = 0, st = 0;
  sscanf(q + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &ut, &st);
  *u = ut / 100.;
  *s = st / 100.;
}
static long srss(const char* key) {
  if (!pid) return 0;
  char p[64];
  snprintf(p, 64, "/proc/%d/status", pid);
  FILE* f = fopen(p, "r");
  if (!f) return 0;
  char b[256];
  long v = 0;
  size_t n = strlen(key);
  while (fgets(b, 256, f))
    if (!strncmp(b, key, n)) {
      v = atol(b + n + 1);
      break;
    }
  fclose(f);
  return v;
}
static double selfcpu(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

/* ---------- frames ---------- */
static uint8_t* fb;
static size_t fbtotal;
static size_t* foff;
static int nframes;
static uint8_t** plain;
static size_t* plainlen;
static uint64_t rng = 88172645463325252ull;
static uint64_t rnd(void) {
  rng ^= rng << 13;
  rng ^= rng >> 7;
  rng ^= rng << 17;
  return rng;
}
static size_t put_frame(uint8_t* d, int b0, const uint8_t* p, size_t n) {
  size_t o = 0;
  d[o++] = b0;
  if (n < 126)
    d[o++] = 0x80 | n;
  else if (n < 65536) {
    d[o++] = 0x80 | 126;
    d[o++] = n >> 8;
    d[o++] = n;
  } else {
    d[o++] = 0x80 | 127;
    for (int i = 7; i >= 0; i--) d[o++] = n >> (8 * i);
  }
  uint8_t m[4];
  uint32_t r = rnd() >> 16;
  memcpy(m, &r, 4);
  memcpy(d + o, m, 4);
  o += 4;
  for (size_t i = 0; i < n; i++) d[o + i] = p[i] ^ m[i & 3];
  return o + n;
}
static size_t gen_json(char* b, size_t want) {  // realistic-ish JSON records
  static const char *names[] = {"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"},
                    *ev[] = {"order.created", "order.updated", "trade.executed", "quote.changed"};
  size_t o =
      sprintf(b, "{\"type\":\"update\",\"seq\":%llu,\"items\":[", (unsigned long long)(rnd() % 1000000));
  while (o < want - 200) {
    o += sprintf(b + o,
                 "{\"id\":%llu,\"user\":\"%s\",\"event\":\"%s\",\"price\":%llu.%02llu,\"qty\":%llu,\"ts\":17%"
                 "011llu,\"active\":%s},",
                 (unsigned long long)(rnd() % 100000000), names[rnd() % 8], ev[rnd() % 4],
                 (unsigned long long)(rnd() % 5000), (unsigned long long)(rnd() % 100),
                 (unsigned long long)(rnd() % 1000), (unsigned long long)(rnd() % 100000000000ull),
                 (rnd() & 1) ? "true" : "false");
  }
  o += sprintf(b + o - 1, "]}") - 1;
  return o;
}
static void build_frames(void) {
  int dfl = strcmp(dmode, "0") != 0;
  size_t budget = 64 << 20;
  nframes = size >= (1 << 20) ? 1 : size >= 65536 ? 4 : 64;
  if (dfl) nframes = 64;
  if (nframes < depth && size < 65536) nframes = depth;
  (void)budget;
  foff = calloc(nframes + 1, sizeof *foff);
  plain = calloc(nframes, sizeof *plain);
  plainlen = calloc(nframes, sizeof *plainlen);
  size_t cap = (size_t)nframes * (size * 2 + 1024) + (1 << 16);
  if (nframes == 1) cap = size + 64 + (1 << 16);
  fb = malloc(cap);
  size_t o = 0;
  z_stream z;
  memset(&z, 0, sizeof z);
  if (dfl) deflateInit2(&z, 6, Z_DEFLATED, -cwb, 8, 0);
  int nct = !strcmp(dmode, "nct");
  uint8_t* tmp = dfl ? malloc(size * 2 + 1024) : 0;
  for (int k = 0; k < nframes; k++) {
    uint8_t* p = malloc(size * (strcmp(kind, "json") ? 1 : 2) + 4096);
    size_t n = size;
    if (!strcmp(kind, "json")) {
      size_t w = size;
      if (size >= 1024) w = size * 3 / 4 + rnd() % (size / 2);
      n = gen_json((char*)p, w < 300 ? 300 : w);
    } else if (!strcmp(kind, "utf8")) {
      size_t i = 0;  // ~1/4 multibyte
      while (i < n) {
        unsigned r = rnd() >> 20;
        if ((r & 7) == 0 && i + 3 <= n) {
          p[i++] = 0xe2;
          p[i++] = 0x82;
          p[i++] = 0xac;
        } else if ((r & 7) == 1 && i + 2 <= n) {
          p[i++] = 0xc3;
          p[i++] = 0xa9;
        } else if ((r & 63) == 2 && i + 4 <= n) {
          memcpy(p + i, "\xf0\x9f\x98\x80", 4);
          i += 4;
        } else
          p[i++] = 'a' + ((r >> 8) % 26);
      }
    } else if (!strcmp(kind, "latin")) {
      size_t i = 0;
      while (i < n) {
        unsigned r = rnd() >> 20;
        if ((r & 7) == 0 && i + 2 <= n) {
          p[i++] = 0xc3;
          p[i++] = 0xa9;
        } else
          p[i++] = 'a' + ((r >> 8) % 26);
      }
    } else if (opcode == 1)
      for (size_t i = 0; i < n; i++)
        p[i] = "abcdefghijklmnopqrstuvwxyz0123456789 ,.:;{}\"'()[]"[(rnd() >> 13) % 49];
    else
      for (size_t i = 0; i < n; i++) p[i] = rnd() >> 24;
    plain[k] = p;
    plainlen[k] = n;
    foff[k] = o;
    if (dfl) {
      if (nct || k == 0) deflateReset(&z);
      z.next_in = p;
      z.avail_in = n;
      z.next_out = tmp;
      z.avail_out = size * 2 + 1024;
      int rc = deflate(&z, Z_SYNC_FLUSH);
      if (rc != Z_OK) die("deflate");
      size_t m = size * 2 + 1024 - z.avail_out - 4;
      o += put_frame(fb + o, 0xC0 | opcode, tmp, m);
    } else if (frag > 1) {
      size_t per = n / frag;
      for (int q = 0; q < frag; q++) {
        size_t st = q * per, len = q == frag - 1 ? n - st : per;
        o += put_frame(fb + o, (q == frag - 1 ? 0x80 : 0) | (q == 0 ? opcode : 0), p + st, len);
      }
    } else
      o += put_frame(fb + o, 0x80 | opcode, p, n);
  }
  foff[nframes] = o;
  fbtotal = o;
}

/* ---------- connections ---------- */
struct conn {
  int fd, state, hl;
  uint8_t hdr[16];
  uint64_t need;
  int fin, op, rsv, masked;
  uint8_t mk[4];
  uint64_t got;
  size_t pos, pend;
  uint32_t sidx, out_armed;
  uint64_t* ts;
  uint32_t th, tt, ridx;
  int hn;
  char* hb;
  uint64_t t0;
  int hold;
  z_stream* iz;
  uint8_t* vb;
  size_t vn;
  uint32_t msgs;
  uint8_t* pg;
  int pn;
  int is_word;
  uint32_t received, acked;
};
static struct conn* cs;
static int ep;
static uint8_t* rbuf;
static size_t RB = 1 << 18;
static uint64_t msgs, bytes_rx, bytes_msg, errs, nopen, closed_;
static int measuring;
static char hsreq[1024];
static int hslen;

static void arm(struct conn* c, int out) {
  if ((int)c->out_armed == out) return;
  c->out_armed = out;
  struct epoll_event e = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
static void flushc(struct conn* c) {
  while (c->pend) {
    size_t n = fbtotal - c->pos;
    if (n > c->pend) n = c->pend;
    ssize_t w = send(c->fd, fb + c->pos, n, MSG_NOSIGNAL);
    if (w < 0) {
      if (errno == EAGAIN) {
        arm(c, 1);
        return;
      }
      errs++;
      c->pend = 0;
      return;
    }
    c->pos += w;
    if (c->pos == fbtotal) c->pos = 0;
    c->pend -= w;
    if ((size_t)w < n) {
      arm(c, 1);
      return;
    }
  }
  arm(c, 0);
}
static void queue(struct conn* c, int k, uint64_t t) {
  for (int i = 0; i < k; i++) {
    uint32_t f = c->sidx % nframes;
    c->pend += foff[f + 1] - foff[f];
    c->sidx++;
    c->ts[c->th++ & (uint32_t)4095] = t;
  }
  flushc(c);
}
static void open_conn(struct conn* c, int i) {
  memset(&c->fd, 0, sizeof(int));
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) die("socket");
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (nsrc > 1) {
    setsockopt(c->fd, IPPROTO_IP, 24 /*IP_BIND_ADDRESS_NO_PORT*/, &one, sizeof one);
    struct sockaddr_in b = {.sin_family = AF_INET};
    b.sin_addr.s_addr = htonl(0x7f000001 + (i % nsrc));
    if (bind(c->fd, (void*)&b, sizeof b)) die("bind");
  }
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  a.sin_addr.s_addr = htonl(0x7f000001);
  c->state = 0;
  c->hn = 0;
  c->hl = 0;
  c->need = 0;
  c->pend = 0;
  c->pos = 0;
  c->sidx = 0;
  c->th = c->tt = 0;
  c->ridx = 0;
  c->out_armed = 1;
  c->got = 0;
  c->t0 = now_ns();
  c->vn = 0;
  c->msgs = 0;
  c->received = c->acked = 0;
  if (connect(c->fd, (void*)&a, sizeof a) && errno != EINPROGRESS) die("connect");
  struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
}
static void on_open(struct conn* c);
static void on_msg(struct conn* c, uint64_t t);
static int pending_msgs;
static void vput(struct conn* c, const uint8_t* p, size_t n) {
  if (!c->vb) c->vb = malloc(size * 3 + 65536);
  if (c->vn + n < (size_t)size * 3 + 65536) {
    memcpy(c->vb + c->vn, p, n);
    c->vn += n;
  }
}
static void vcheck(struct conn* c) {
  uint32_t f = c->ridx++ % nframes;
  uint8_t* d = c->vb;
  size_t n = c->vn;
  static uint8_t* ob;
  if (c->rsv & 0x40) {
    if (!c->iz) {
      c->iz = calloc(1, sizeof(z_stream));
      inflateInit2(c->iz, -15);
    }
    if (!ob) ob = malloc(size * 3 + 65536);
    vput(c, (uint8_t*)"\0\0\xff\xff", 4);
    c->iz->next_in = c->vb;
    c->iz->avail_in = c->vn;
    c->iz->next_out = ob;
    c->iz->avail_out = size * 3 + 65536;
    int rc = inflate(c->iz, Z_SYNC_FLUSH);
    if (rc != Z_OK && rc != Z_BUF_ERROR) {
      fprintf(stderr, "inflate rc %d\n", rc);
      errs++;
    }
    d = ob;
    n = size * 3 + 65536 - c->iz->avail_out;
  }
  if (n != plainlen[f] || memcmp(d, plain[f], n)) {
    if (errs++ < 5)
      fprintf(stderr, "verify mismatch frame %u got %zu want %zu rsv %x\n", f, n, plainlen[f], c->rsv);
  }
  c->vn = 0;
}
static int parse(struct conn* c, uint8_t* p, size_t n, uint64_t t) {
  size_t i = 0;
  while (i < n) {
    if (c->need == 0) {  // header
      int want;
      for (;;) {
        want = 2;
        if (c->hl >= 2) {
          int l = c->hdr[1] & 127;
          want = 2 + (l == 126 ? 2 : l == 127 ? 8 : 0) + ((c->hdr[1] & 128) ? 4 : 0);
        }
        if (c->hl >= want) break;
        if (i >= n) return 0;
        c->hdr[c->hl++] = p[i++];
      }
      int l = c->hdr[1] & 127;
      uint64_t L = l;
      int o = 2;
      if (l == 126) {
        L = c->hdr[2] << 8 | c->hdr[3];
        o = 4;
      } else if (l == 127) {
        L = 0;
        for (int k = 0; k < 8; k++) L = L << 8 | c->hdr[2 + k];
        o = 10;
      }
      c->masked = c->hdr[1] & 128;
      if (c->masked) memcpy(c->mk, c->hdr + o, 4);
      c->fin = c->hdr[0] & 128;
      c->op = c->hdr[0] & 15;
      if (c->op == 1 || c->op == 2) c->rsv = c->hdr[0] & 0x70;
      c->hl = 0;
      c->need = L + 1;
      c->got = 0;  // +1 sentinel
    }
    size_t r = c->need - 1;
    if (r > n - i) r = n - i;
    if (r) {
      if (linkver && c->got == 0 && c->op == 1) c->is_word = p[i] == 0x16;
      if (verify && c->op <= 2) {
        if (c->masked) {
          for (size_t k = 0; k < r; k++) {
            uint8_t b = p[i + k] ^ c->mk[(c->got + k) & 3];
            vput(c, &b, 1);
          }
        } else
          vput(c, p + i, r);
      }
      c->need -= r;
      i += r;
      c->got += r;
      bytes_msg += r;
    }
    if (c->op == 9 && r) {
      if (!c->pg) c->pg = malloc(128);
      if (c->pn + r <= 125) {
        memcpy(c->pg + c->pn, p + i - r, r);
        c->pn += r;
      }
    }
    if (c->need == 1) {
      c->need = 0;
      if (c->op == 9) {
        uint8_t o[136] = {0x8a, 0x80 | c->pn};
        memset(o + 2, 0, 4);
        if (c->pn) memcpy(o + 6, c->pg, c->pn);
        if (!c->pend) send(c->fd, o, 6 + c->pn, MSG_NOSIGNAL);
        c->pn = 0;
        npings++;
        if (tenths_from && (t - tenths_from) / 100000000 < TENTHS) tenths[(t - tenths_from) / 100000000]++;
        continue;
      }
      if (c->op == 8) {
        if (c->state == 2) {
          c->state = 3;
        }
        return 1;
      }
      if (c->is_word) {
        c->is_word = 0;
        c->vn = 0;
        if (rec_words) word_bytes += 2 + c->got;
        continue;
      }
      if (c->op <= 2 && c->fin) {
        c->received++;
        if (verify) vcheck(c);
        on_msg(c, t);
      }
    } else
      break;
  }
  return 0;
}
/* With MSG_MORE as a flag, it leaves in the segment of what is sent next. */
static void send_word(struct conn* c, const char* word, int flag) {
  uint8_t d[64];
  size_t n = put_frame(d, 0x81, (const uint8_t*)word, strlen(word));
  if (send(c->fd, d, n, MSG_NOSIGNAL | flag) != (ssize_t)n) errs++;
}
static void send_ack(struct conn* c, int flag) {
  char word[32] = "\x16" "ack ", digits[16];
  int n = 0, o = 5;
  for (uint32_t v = c->received; v; v /= 36) digits[n++] = "0123456789abcdefghijklmnopqrstuvwxyz"[v % 36];
  while (n) word[o++] = digits[--n];
  word[o] = 0;
  send_word(c, word, flag);
  c->acked = c->received;
}
static void close_conn(struct conn* c) {
  close(c->fd);
  c->fd = -1;
  c->state = 9;
  closed_++;
}
static void on_event(struct conn* c, uint32_t ev) {
  if (c->state == 0) {
    int er = 0;
    socklen_t l = 4;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &er, &l);
    if (er) {
      errno = er;
      die("connect failed");
    }
    if (!(ev & EPOLLOUT)) return;
    if (send(c->fd, hsreq, hslen, MSG_NOSIGNAL) != hslen) die("hs send");
    c->state = 1;
    arm(c, 0);
    return;
  }
  if (ev & EPOLLOUT && c->state == 2) flushc(c);
  if (ev & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
    ssize_t n = recv(c->fd, rbuf, RB, 0);
    if (n <= 0) {
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (c->state != 3 && strcmp(mode, "connrate")) errs++;
      close_conn(c);
      return;
    }
    uint64_t t = now_ns();
    bytes_rx += n;
    uint8_t* p = rbuf;
    if (c->state == 1) {
      if (!c->hb) c->hb = malloc(4096);
      if (c->hn + n > 4095) die("hs too long");
      memcpy(c->hb + c->hn, p, n);
      int old = c->hn;
      c->hn += n;
      c->hb[c->hn] = 0;
      char* e = strstr(c->hb, "\r\n\r\n");
      if (!e) return;
      if (strncmp(c->hb, "HTTP/1.1 101", 12)) {
        fprintf(stderr, "bad handshake: %.200s\n", c->hb);
        exit(2);
      }
      if (strcasestr(c->hb, "permessage-deflate")) {
        ext_ok = 1;
        char* q = strcasestr(c->hb, "client_max_window_bits=");
        if (q) cwb = atoi(q + 23);
      }
      static int once;
      if (!once) {
        once = 1;
        if (!strcasestr(c->hb, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) die("bad accept");
        if (getenv("SHOWHS")) fprintf(stderr, "%s", c->hb);
      }
      int used = e + 4 - c->hb - old;
      p += used;
      n -= used;
      free(c->hb);
      c->hb = 0;
      c->state = 2;
      nopen++;
      on_open(c);
      if (n <= 0) return;
    }
    pending_msgs = 0;
    int cl = parse(c, p, n, t);
    if (cl || c->state == 3) {
      if (!strcmp(mode, "connrate")) { /* wait for server EOF */
        return;
      }
      if (c->state == 3) {
        errs++;
        fprintf(stderr, "server closed code %d\n", 0);
      }
      close_conn(c);
      return;
    }
    /* An idle client would acknowledge its last message after the delay of a timer. */
    unsigned every = strcmp(mode, "idle") ? 256 : 1;
    int answers = pending_msgs && !strcmp(mode, "echo") && rate == 0 && !c->hold;
    /* Clients of Holdfast write an ack together with what else they send in that turn. */
    if (linkver == 2 && c->received - c->acked >= every && !c->pend) send_ack(c, answers ? MSG_MORE : 0);
    if (answers) queue(c, pending_msgs, t);
  }
}
static int rec_lat = 1;
static void on_msg(struct conn* c, uint64_t t) {
  c->msgs++;
  if (c->tt != c->th) {
    uint64_t s = c->ts[c->tt++ & 4095u];
    if (measuring && rec_lat) hadd(t - s);
  }
  pending_msgs++;
  if (measuring) msgs++;
}
static uint64_t cr_done;
static void on_open(struct conn* c) {
  if (linkver == 2) send_word(c, "\x16open", 0);
  if (!strcmp(mode, "connrate")) {
    hadd(now_ns() - c->t0);
    static uint8_t cf[8] = {0x88, 0x82, 1, 2, 3, 4, 3 ^ 1, 0xe8 ^ 2};
    if (send(c->fd, cf, 8, MSG_NOSIGNAL) != 8) errs++;
    c->state = 3;
    cr_done++;
    return;
  }
}
static void pump(int timeout_us) {
  struct epoll_event ev[512];
  struct timespec ts = {timeout_us / 1000000, (timeout_us % 1000000) * 1000l};
  int n = epoll_pwait2(ep, ev, 512, timeout_us < 0 ? NULL : &ts, NULL);
  for (int i = 0; i < n; i++) on_event(ev[i].data.ptr, ev[i].events);
}
static void connect_all(void) {
  uint64_t t0 = now_ns();
  int inflight_max = 256;
  int started = 0;
  while ((int)nopen < nconn) {
    while (started < nconn && started - (int)nopen < inflight_max &&
           (openrate == 0 || started <= (now_ns() - t0) / 1e9 * openrate)) {
      open_conn(&cs[started], started);
      started++;
    }
    pump(10000);
    if (now_ns() - t0 > 90000000000ull) die("connect timeout");
  }
}
int main(int ac, char** av) {
  static struct option lo[] = {{"mode", 1, 0, 'm'},     {"port", 1, 0, 'p'},
                               {"conns", 1, 0, 'c'},    {"depth", 1, 0, 'd'},
                               {"size", 1, 0, 's'},     {"text", 0, 0, 't'},
                               {"kind", 1, 0, 'k'},     {"warmup", 1, 0, 'w'},
                               {"duration", 1, 0, 'D'}, {"pid", 1, 0, 'P'},
                               {"deflate", 1, 0, 'z'},  {"verify", 0, 0, 'v'},
                               {"cpu", 1, 0, 'C'},      {"rate", 1, 0, 'r'},
                               {"touch", 1, 0, 'T'},    {"gcsig", 0, 0, 'g'},
                               {"frag", 1, 0, 'f'},     {"path", 1, 0, 'u'},
                               {"nsrc", 1, 0, 'n'},     {"gcwait", 1, 0, 'G'},
                               {"openrate", 1, 0, 'O'}, {"link", 1, 0, 'L'},
                               {0}};
  int o;
  while ((o = getopt_long(ac, av, "", lo, 0)) != -1) switch (o) {
      case 'm':
        mode = optarg;
        break;
      case 'p':
        port = atoi(optarg);
        break;
      case 'c':
        nconn = atoi(optarg);
        break;
      case 'd':
        depth = atoi(optarg);
        break;
      case 's':
        size = atol(optarg);
        break;
      case 't':
        opcode = 1;
        break;
      case 'k':
        kind = optarg;
        break;
      case 'w':
        warm = atof(optarg);
        break;
      case 'D':
        dur = atof(optarg);
        break;
      case 'P':
        pid = atoi(optarg);
        break;
      case 'z':
        dmode = optarg;
        break;
      case 'v':
        verify = 1;
        break;
      case 'C':
        cpu = atoi(optarg);
        break;
      case 'r':
        rate = atof(optarg);
        break;
      case 'T':
        touch = atoi(optarg);
        break;
      case 'g':
        gcsig = 1;
        break;
      case 'f':
        frag = atoi(optarg);
        break;
      case 'u':
        path = optarg;
        break;
      case 'n':
        nsrc = atoi(optarg);
        break;
      case 'L':
        linkver = atoi(optarg);
        break;
      case 'O':
        openrate = atof(optarg);
        break;
      case 'G':
        gcwait = atof(optarg);
        break;
      default:
        die("usage");
    }
  signal(SIGPIPE, SIG_IGN);
  if (cpu >= 0) {
    cpu_set_t s;
    CPU_ZERO(&s);
    CPU_SET(cpu, &s);
    sched_setaffinity(0, sizeof s, &s);
  }
  struct rlimit rl = {1000000, 1000000};
  if (setrlimit(RLIMIT_NOFILE, &rl)) {
    getrlimit(RLIMIT_NOFILE, &rl);
    rl.rlim_cur = rl.rlim_max;
    setrlimit(RLIMIT_NOFILE, &rl);
  }
  if (pid && clock_getcpuclockid(pid, &sclk)) die("cpuclock");
  if (size >= 1 << 20) RB = 1 << 20;
  rbuf = malloc(RB);
  if (depth > 4096) die("depth");
  const char* ext = "";
  if (!strcmp(dmode, "1") || !strcmp(dmode, "offer"))
    ext = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
  else if (!strcmp(dmode, "nct"))
    ext =
        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
        "client_no_context_takeover\r\n";
  hslen = snprintf(hsreq, sizeof hsreq,
                   "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: "
                   "Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: "
                   "13\r\nOrigin: http://127.0.0.1:%d\r\nUser-Agent: loadgen/1.0\r\n%s\r\n",
                   path, port, port, ext);
  if (linkver)
    hslen += snprintf(hsreq + hslen - 2, sizeof hsreq - hslen, "Sec-WebSocket-Protocol: holdfast.v%d\r\n\r\n",
                      linkver) - 2;
  int offer = !strcmp(dmode, "offer");
  if (offer) dmode = "0";
  ep = epoll_create1(0);
  if (!strcmp(mode, "idle") || !strcmp(mode, "connrate")) size = 64;
  if (strcmp(mode, "echo") && !(touch && strcmp(dmode, "0"))) build_frames();
  if (!strcmp(mode, "bcast")) { /* payload must begin with B! */
    free(fb);
    fb = malloc(size + 64);
    uint8_t* p = malloc(size);
    memset(p, 'x', size);
    p[0] = 'B';
    p[1] = '!';
    fbtotal = put_frame(fb, 0x80 | opcode, p, size);
    nframes = 1;
    foff[0] = 0;
    foff[1] = fbtotal;
  }
  cs = calloc(nconn, sizeof *cs);
  for (int i = 0; i < nconn; i++)
    cs[i].ts = malloc((strcmp(mode, "echo") && strcmp(mode, "bcast") && !touch) ? 8 : 4096 * 8);
  long rss0 = srss("VmRSS:");
  double tc0 = now_ns() / 1e9, cpu0 = scpu();
  if (!strcmp(mode, "connrate")) {
    for (int i = 0; i < nconn; i++) open_conn(&cs[i], i);
    uint64_t t0 = now_ns(), tw = t0 + warm * 1e9, te = tw + dur * 1e9;
    uint64_t d0 = 0, rr = nconn;
    double c0 = 0, l0 = 0;
    uint64_t ts = 0;
    int ph = 0;
    for (;;) {
      pump(1000);
      uint64_t t = now_ns();
      if (!ph && t >= tw) {
        ph = 1;
        d0 = cr_done;
        c0 = scpu();
        l0 = selfcpu();
        ts = t;
        memset(hist, 0, sizeof hist);
        hcount = 0;
      }
      if (t >= te && ph) {
        double T = (t - ts) / 1e9;
        uint64_t d = cr_done - d0;
        printf(
            "{\"mode\":\"connrate\",\"per_s\":%.1f,\"cpu_us\":%.3f,\"srv_cpu\":%.3f,\"lg_cpu\":%.3f,\"p50_"
            "us\":%.1f,\"p99_us\":%.1f,\"errs\":%llu,\"rss_kb\":%ld}\n",
            d / T, (scpu() - c0) * 1e6 / d, (scpu() - c0) / T, (selfcpu() - l0) / T, hpct(.5) / 1e3,
            hpct(.99) / 1e3, (unsigned long long)errs, srss("VmRSS:"));
        return 0;
      }
      for (int i = 0; i < nconn; i++)
        if (cs[i].state == 9) open_conn(&cs[i], rr++);
    }
  }
  connect_all();
  if (!ext_ok) dmode = "0";
  if (!strcmp(mode, "echo")) build_frames();
  double tcn = now_ns() / 1e9 - tc0, cpucn = scpu() - cpu0;
  if (!strcmp(mode, "idle")) {
    if (touch && strcmp(dmode, "0")) {
      opcode = 1;
      kind = "json";
      size = 1536;
      build_frames();
    }
    for (int k = 0; k < touch; k++)
      for (int i = 0; i < nconn; i++) {
        while (cs[i].th - cs[i].tt > 0) pump(1000);
        queue(&cs[i], 1, now_ns());
        if (i % 32 == 31) pump(0);
      }
    uint64_t te = now_ns() + (uint64_t)(warm * 1e9);
    while (now_ns() < te) pump(20000);
    long r1 = srss("VmRSS:");
    if (gcsig) {
      for (int k = 0; k < 2; k++) {
        kill(pid, SIGUSR2);
        te = now_ns() + (uint64_t)(gcwait * 1e9);
        while (now_ns() < te) pump(20000);
      }
    }
    long r2 = srss("VmRSS:");
    double c0 = scpu();
    uint64_t t0 = now_ns(), np0 = npings;
    tenths_from = t0;
    te = t0 + (uint64_t)(dur * 1e9);
    while (now_ns() < te) pump(20000);
    double cidle = (scpu() - c0) / ((now_ns() - t0) / 1e9);
    uint64_t np = npings - np0;
    uint32_t burst = 0;
    for (int i = 0; i < TENTHS; i++)
      if (tenths[i] > burst) burst = tenths[i];
    printf(
        "{\"mode\":\"idle\",\"conns\":%d,\"ext\":%d,\"rss0_kb\":%ld,\"rss1_kb\":%ld,\"rss2_kb\":%ld,\"kb_per_"
        "conn\":%.3f,\"kb_per_conn_gc\":%.3f,\"connect_s\":%.2f,\"connect_cpu_us\":%.1f,\"idle_cpu\":%.5f,"
        "\"pings_s\":%.1f,\"cpu_us\":%.3f,\"burst\":%.5f,\"errs\":%llu}\n",
        nconn, ext_ok, rss0, r1, r2, (double)(r1 - rss0) / nconn, (double)(r2 - rss0) / nconn, tcn,
        cpucn * 1e6 / nconn, cidle, np / ((now_ns() - t0) / 1e9), np ? cidle * (now_ns() - t0) / 1e3 / np : 0,
        (double)burst / nconn, (unsigned long long)errs);
    return 0;
  }
  if (!strcmp(mode, "bcast")) {
    rec_lat = 0;
    if (gcsig) {
      kill(pid, SIGUSR2);
      uint64_t wait = now_ns() + (uint64_t)(gcwait * 1e9);
      while (now_ns() < wait) pump(20000);
    }
    uint64_t t0 = now_ns(), tw = t0 + warm * 1e9, te = tw + dur * 1e9;
    uint64_t nb = 0, del = 0;
    double c0 = 0, l0 = 0;
    uint64_t ts = 0;
    measuring = 0;
    int ph = 0;
    uint64_t target = 0;
    static uint64_t total;
    for (;;) {
      uint64_t t = now_ns();
      if (!ph && t >= tw) {
        ph = 1;
        c0 = scpu();
        l0 = selfcpu();
        ts = t;
        nb = 0;
        memset(hist, 0, sizeof hist);
        hcount = 0;
      }
      if (ph && t >= te) break;
      measuring = 1;
      msgs = 0;
      uint64_t s = now_ns();
      queue(&cs[0], depth, s);
      while (msgs < (uint64_t)nconn * depth) {
        pump(1000);
        if (now_ns() - s > 20000000000ull) die("bcast stall");
      }
      uint64_t e = now_ns();
      hadd(e - s);
      nb += depth;
      (void)target;
      (void)del;
      (void)total;
    }
    double T = (now_ns() - ts) / 1e9;
    printf(
        "{\"mode\":\"bcast\",\"conns\":%d,\"size\":%ld,\"per_s\":%.2f,\"deliveries_s\":%.0f,\"cpu_us\":%.4f,"
        "\"srv_cpu\":%.3f,\"lg_cpu\":%.3f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"errs\":%llu,\"rss_kb\":%ld,\"hwm_"
        "kb\":%ld}\n",
        nconn, size, nb / T, nb * (double)nconn / T, (scpu() - c0) * 1e6 / (nb * (double)nconn),
        (scpu() - c0) / T, (selfcpu() - l0) / T, hpct(.5) / 1e3, hpct(.99) / 1e3, (unsigned long long)errs,
        srss("VmRSS:"), srss("VmHWM:"));
    return 0;
  }
  // echo
  uint64_t t0 = now_ns(), tw = t0 + (uint64_t)(warm * 1e9), te = tw + (uint64_t)(dur * 1e9);
  double c0 = 0, l0 = 0, u0 = 0, s0 = 0, u1, s1;
  uint64_t ts = 0, b0 = 0, rx0 = 0;
  uint64_t sched = 0;
  int ph = 0;
  double iv = rate > 0 ? 1e9 / rate : 0;
  uint64_t nsent = 0;
  int rr = 0;
  if (rate == 0)
    for (int i = 0; i < nconn; i++) queue(&cs[i], depth, now_ns());
  for (;;) {
    uint64_t t = now_ns();
    if (rate > 0) {
      while ((uint64_t)(nsent * iv) + t0 <= t) {
        queue(&cs[rr], 1, t0 + (uint64_t)(nsent * iv));
        rr = (rr + 1) % nconn;
        nsent++;
      }
    }
    pump(rate > 0 ? 0 : 5000);
    t = now_ns();
    if (!ph && t >= tw) {
      ph = 1;
      measuring = 1;
      c0 = scpu();
      l0 = selfcpu();
      susage(&u0, &s0);
      ts = t;
      b0 = bytes_msg;
      rx0 = bytes_rx;
      rec_words = 1;
    }
    if (ph && t >= te) break;
    if (errs > 100 || closed_ > 0) {
      fprintf(stderr, "too many errors %llu closed %llu\n", (unsigned long long)errs,
              (unsigned long long)closed_);
      break;
    }
  }
  (void)sched;
  double T = (now_ns() - ts) / 1e9, c = scpu() - c0;
  susage(&u1, &s1);
  printf(
      "{\"mode\":\"echo\",\"conns\":%d,\"depth\":%d,\"size\":%ld,\"op\":%d,\"ext\":%d,\"msgs\":%llu,\"per_"
      "s\":%.1f,\"MBps\":%.2f,\"cpu_us\":%.4f,\"usr_us\":%.3f,\"sys_us\":%.3f,\"srv_cpu\":%.3f,\"lg_cpu\":%."
      "3f,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"errs\":%llu,\"rss_kb\":%ld,\"hwm_kb\":%ld,"
      "\"rxbytes_per_msg\":%.1f,\"wordbytes_per_msg\":%.4f}\n",
      nconn, depth, size, opcode, ext_ok, (unsigned long long)msgs, msgs / T, (bytes_msg - b0) / T / 1e6,
      c * 1e6 / (msgs ? msgs : 1), (u1 - u0) * 1e6 / (msgs ? msgs : 1), (s1 - s0) * 1e6 / (msgs ? msgs : 1),
      c / T, (selfcpu() - l0) / T, hpct(.5) / 1e3, hpct(.9) / 1e3, hpct(.99) / 1e3, (unsigned long long)errs,
      srss("VmRSS:"), srss("VmHWM:"), (double)(bytes_rx - rx0) / (msgs ? msgs : 1),
      (double)word_bytes / (msgs ? msgs : 1));
  return errs ? 1 : 0;
}
