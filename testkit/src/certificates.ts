import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";

/** A certificate and its private key as PEM, for `tls.createServer`. */
export interface KeyAndCertificate {
  readonly key: string;
  readonly cert: string;
}

export interface TestCertificates {
  /** The certificate that a client has to trust, as the option `ca`. */
  readonly ca: string;
  /** For `localhost`, `127.0.0.1` and `::1`. */
  readonly server: KeyAndCertificate;
  /** The same names, expired yesterday. */
  readonly expired: KeyAndCertificate;
  /** Valid, but for `elsewhere.test` only. */
  readonly wrongHost: KeyAndCertificate;
  /** The same names, self-signed and therefore untrusted. */
  readonly untrusted: KeyAndCertificate;
  /** A client's certificate, signed by the same authority. */
  readonly client: KeyAndCertificate;
}

interface Names {
  readonly domains: readonly string[];
  readonly addresses: readonly string[];
}

const DAY = 86_400_000;
const LOOPBACK: Names = { domains: ["localhost"], addresses: ["127.0.0.1", "::1"] };

/** On demand, because loading it takes longer than loading the rest of the testkit, and few tests use TLS. */
const loadGenerator = async () => (await import("selfsigned")).generate;

let cached: Promise<TestCertificates> | null = null;

/** Where the processes of the tests share them: making them takes as long as starting a process. */
const SHARED = new URL("../../.cache/test-certificates.json", import.meta.url);

/** Creates certificates, once a day. */
export function testCertificates(): Promise<TestCertificates> {
  return (cached ??= sharedCertificates());
}

async function sharedCertificates(): Promise<TestCertificates> {
  try {
    const [{ mtimeMs: madeAt }, { mtimeMs: codeOf }] = [
      await stat(SHARED),
      await stat(new URL(import.meta.url)),
    ];
    if (madeAt > Math.max(codeOf, Date.now() - DAY))
      return JSON.parse(await readFile(SHARED, "utf8")) as TestCertificates;
  } catch {
    // There are none yet.
  }
  const made = await makeCertificates();
  const own = new URL(`${SHARED.href}.${process.pid}`);
  await mkdir(new URL(".", SHARED), { recursive: true });
  await writeFile(own, JSON.stringify(made), { mode: 0o600 });
  await rename(own, SHARED); // Other processes find all of them, or none.
  return made;
}

async function makeCertificates(): Promise<TestCertificates> {
  const generate = await loadGenerator();
  const authority = await generate([{ name: "commonName", value: "Holdfast test authority" }], {
    ...validDays(-2, 30),
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const ca = { key: authority.private, cert: authority.cert };
  const [server, expired, wrongHost, client, untrusted] = await Promise.all([
    signed(ca, LOOPBACK, validDays(-1, 30)),
    signed(ca, LOOPBACK, validDays(-2, -1)),
    signed(ca, { domains: ["elsewhere.test"], addresses: [] }, validDays(-1, 30)),
    signed(ca, { domains: ["client.test"], addresses: [] }, validDays(-1, 30), "clientAuth"),
    signed(null, LOOPBACK, validDays(-1, 30)),
  ]);
  return { ca: ca.cert, server, expired, wrongHost, client, untrusted };
}

interface Validity {
  readonly notBeforeDate: Date;
  readonly notAfterDate: Date;
}

function validDays(from: number, to: number): Validity {
  return { notBeforeDate: new Date(Date.now() + from * DAY), notAfterDate: new Date(Date.now() + to * DAY) };
}

async function signed(
  ca: KeyAndCertificate | null,
  { domains, addresses }: Names,
  validity: Validity,
  usage: "serverAuth" | "clientAuth" = "serverAuth",
): Promise<KeyAndCertificate> {
  const generate = await loadGenerator();
  const { private: key, cert } = await generate([{ name: "commonName", value: domains[0] ?? "" }], {
    ...validity,
    ...(ca === null ? {} : { ca }),
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", [usage]: true },
      {
        name: "subjectAltName",
        altNames: [
          ...domains.map((value) => ({ type: 2 as const, value })),
          ...addresses.map((ip) => ({ type: 7 as const, ip })),
        ],
      },
    ],
  });
  return { key, cert };
}
