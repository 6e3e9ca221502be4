// The part of npm's crc-32 1.2 that crc32c.ts uses; the package brings types for its other module alone.
declare module 'crc-32/crc32c.js' {
  const implementation: { buf(data: Uint8Array, seed?: number): number };
  // biome-ignore lint/style/noDefaultExport: a CommonJS module seen from ESM.
  export default implementation;
}
