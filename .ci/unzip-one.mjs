// Takes one file out of a zip archive: ARCHIVE NAME TARGET. Enough for deflated and stored entries of small archives.
import { readFileSync, writeFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';

const [archive, name, target] = process.argv.slice(2);
const bytes = readFileSync(archive);

// The central directory is found from the end (APPNOTE 4.3.16); its entries give sizes that local headers may not.
let end = bytes.length - 22;
while (bytes.readUInt32LE(end) !== 0x06054b50) end--;
let at = bytes.readUInt32LE(end + 16);
for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
  const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
    bytes.readUInt16LE(at + offset),
  );
  if (bytes.toString('utf8', at + 46, at + 46 + nameLength) === name) {
    const header = bytes.readUInt32LE(at + 42);
    const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28);
    const data = bytes.subarray(start, start + bytes.readUInt32LE(at + 20));
    writeFileSync(target, bytes.readUInt16LE(at + 10) === 0 ? data : inflateRawSync(data));
    process.exit(0);
  }
  at += 46 + nameLength + extraLength + commentLength;
}
console.error(`${archive} holds no ${name}`);
process.exit(1);
