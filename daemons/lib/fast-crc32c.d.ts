// The part of npm's fast-crc32c 2.0 that crc32c.ts uses; the package brings no types.
declare module 'fast-crc32c' {
  const implementation: { calculate(data: Uint8Array, initial?: number): number };
  // biome-ignore lint/style/noDefaultExport: a CommonJS module seen from ESM.
  export default implementation;
}
