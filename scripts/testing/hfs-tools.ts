// Tools of others that look at HFS volumes: hfsutils, 7-Zip.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function have(tool: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Runs a shell script in a new folder that holds the image as `image`; its output. */
export function withImage(image: Uint8Array, script: string): Buffer {
  const dir = mkdtempSync(join(tmpdir(), 'atoll-hfs-'));
  try {
    writeFileSync(join(dir, 'image'), image);
    const env = { ...process.env, HOME: dir, TZ: 'UTC', LC_ALL: 'C.UTF-8' };
    return execFileSync('sh', ['-ec', script], { cwd: dir, env, maxBuffer: 64 << 20 });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
