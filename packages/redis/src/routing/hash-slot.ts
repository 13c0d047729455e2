// Hash slots of a cluster: CRC-16 (XMODEM) of the hash tag, as the specification of Redis Cluster says.

/** The number of slots. */
export const SLOTS = 16_384;

/** The slot of a key with this hash tag. ASCII only. */
export function slotOf(tag: string): number {
  let crc = 0;
  for (let index = 0; index < tag.length; index++) {
    crc ^= tag.charCodeAt(index) << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
    crc &= 0xffff;
  }
  return crc % SLOTS;
}
