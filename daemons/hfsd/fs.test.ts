// HFS and HFS Plus volumes written and read: against a model, and against hfsutils and 7-Zip.

import test from 'ava';
import { have, withImage } from '../../scripts/testing/hfs-tools.ts';
import { seeded } from '../ext4fs/testing.ts';
import { Rig } from '../lib/memory/rig.ts';
import { insert, remove } from './btree/change.ts';
import { namelessKey } from './catalog/private.ts';
import type { HfsFs } from './fs.ts';
import { mountHfsPlus } from './mount.ts';
import { attributeKey } from './names/keys.ts';
import { ATTRIBUTE_INLINE, AttributeData } from './ondisk.ts';
import { mounted, type NewVolume, newVolume, problemsOf } from './testing.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bytes = (content: string): Uint8Array => Buffer.from(content);
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0; // deepEqual is slow

const KINDS: readonly NewVolume[] = [
  { kind: 'hfs' },
  { kind: 'hfs', blockSize: 4096 },
  { kind: 'hfs+' },
  { kind: 'hfs+', blockSize: 512 },
  { kind: 'hfs+', blockSize: 16_384 },
  { kind: 'hfs+', journalBytes: 512 * 1024 },
  { kind: 'hfs+', caseSensitive: true },
];
const titled = (title: string, volume: NewVolume): string => `${title}: ${JSON.stringify(volume)}`;

const treeComesBack = test.macro({
  exec(t, volume: NewVolume) {
    const image = newVolume(volume);
    const content = (i: number): Uint8Array =>
      new Uint8Array((i * 37) % 9000).map((_, k) => (k * 7 + i) & 0xff);
    const first = mounted(volume.kind, image);
    for (let i = 0; i < 150; i++) {
      if (i % 30 === 0) first.client.mkdir(`dir ${i / 30}`);
      const fid = first.client.create(`dir ${Math.floor(i / 30)}/a file with number ${i}`);
      first.client.write(fid, 0, content(i));
      first.client.clunk(fid);
    }
    for (let i = 0; i < 150; i += 3)
      first.client.unlink(`dir ${Math.floor(i / 30)}/a file with number ${i}`);
    first.client.detach();
    t.deepEqual(problemsOf(image), []);
    const second = mounted(volume.kind, image);
    for (let i = 0; i < 150; i++) {
      const dir = `dir ${Math.floor(i / 30)}`;
      if (i % 30 === 0) t.is(second.client.list(dir).length, 20);
      if (i % 3 === 0) continue;
      const fid = second.client.open(`${dir}/a file with number ${i}`, 0);
      t.true(same(second.client.read(fid), content(i)), `file ${i}`);
      second.client.clunk(fid);
    }
    for (const name of second.client.list('')) {
      for (const file of second.client.list(name)) second.client.unlink(`${name}/${file}`);
      second.client.unlink(name, 'directory');
    }
    t.deepEqual(second.client.list(''), []);
    second.client.detach();
    t.deepEqual(problemsOf(image), []);
    t.deepEqual([...first.machine.log, ...second.machine.log], []);
  },
  title: (_, volume: NewVolume) => titled('a tree of files comes back as it was', volume),
});
for (const volume of KINDS.slice(1)) test(treeComesBack, volume);

const manyAtOnce = test.macro({
  exec(t, volume: NewVolume) {
    const image = newVolume(volume);
    const first = mounted(volume.kind, image, { slow: true });
    const { machine, client } = first;
    const content = (i: number): Uint8Array =>
      new Uint8Array(i % 3 === 0 ? 5 : 3100 + i).map((_, k) => (k * 7 + i) & 0xff || 1);
    const files = Array.from({ length: 40 }, (_, i) => ({ i, fid: client.create(`file ${i}`) }));
    // The parts of one file lie in one allocation block, and none waits for the one before it.
    const writes = [0, 700, 2048].flatMap((offset, part, offsets) =>
      files.flatMap(({ i, fid }) => {
        const data = content(i).slice(offset, offsets[part + 1]);
        const message = { name: 'Twrite', fid, offset, count: data.length, data } as const;
        return data.length === 0 ? [] : [{ message }];
      }),
    );
    const replies = machine.run(machine.client.all(writes));
    for (const [k, { message }] of writes.entries())
      t.is(machine.client.expect('Twrite', replies[k]).count, message.count);
    for (const { i, fid } of files) {
      t.true(same(client.read(fid), content(i)), `file ${i}`);
      client.clunk(fid);
    }
    client.detach();
    t.deepEqual(problemsOf(image), []);
    t.deepEqual(machine.log, []);
  },
  title: (_, volume: NewVolume) => titled('small writes of many files at once', volume),
});
for (const volume of KINDS) test(manyAtOnce, volume);

const modelled = test.macro({
  exec(t, volume: NewVolume) {
    const seed = Number(process.env['ATOLL_SEED'] ?? 7);
    t.log(`ATOLL_SEED=${seed}`);
    const random = seeded(seed);
    const image = newVolume(volume);
    let { machine, client } = mounted(volume.kind, image);
    const model = new Map<string, Uint8Array>();
    for (let i = 0; i < 250; i++) {
      const name = `file ${random() % 60}${'x'.repeat(random() % 12)}`;
      const known = [...model.keys()][random() % Math.max(1, model.size)];
      const what = random() % 6;
      if (what < 3) {
        const fid = model.has(name) ? client.open(name) : client.create(name);
        const old = model.get(name) ?? new Uint8Array(0);
        const at = random() % (old.length + 2000);
        const data = new Uint8Array(random() % 20_000).map((_, k) => (k + i) & 0xff);
        if (data.length > 0) client.write(fid, Math.min(at, old.length), data);
        const from = Math.min(at, old.length);
        const grown = new Uint8Array(Math.max(old.length, data.length && from + data.length));
        grown.set(old);
        if (data.length > 0) grown.set(data, from);
        model.set(name, grown);
        client.clunk(fid);
      } else if (known !== undefined && what === 3) {
        client.unlink(known);
        model.delete(known);
      } else if (known !== undefined && what === 4) {
        const fid = client.open(known);
        const size = random() % ((model.get(known)?.length ?? 0) + 1);
        client.truncate(fid, size);
        model.set(known, (model.get(known) ?? new Uint8Array(0)).slice(0, size));
        client.clunk(fid);
      } else if (known !== undefined && known !== name) {
        client.rename(known, name);
        model.set(name, model.get(known) ?? new Uint8Array(0));
        model.delete(known);
      }
      if (i % 60 === 59) {
        client.detach();
        t.deepEqual(problemsOf(image), []);
        ({ machine, client } = mounted(volume.kind, image));
        t.deepEqual(client.list(''), [...model.keys()].sort());
      }
    }
    for (const [name, content] of model) {
      const fid = client.open(name, 0);
      t.true(same(client.read(fid), content), name);
      client.clunk(fid);
    }
    client.detach();
    t.deepEqual(machine.log, []);
  },
  title: (_, volume: NewVolume) => titled('random operations do what a model does', volume),
});
for (const volume of KINDS) test(modelled, volume);

test('hfsutils reads what was written, and what it writes is read', (t) => {
  if (!have('hformat')) return t.pass('no hfsutils here: skipped');
  const made = withImage(
    new Uint8Array(2 << 20),
    `hformat -l Disk image > /dev/null; hmkdir ':folder'
     i=0; while [ $i -lt 60 ]; do echo "text $i" > f; hcopy -r f ":folder:file number $i"; i=$((i+1)); done
     humount; cat image`,
  );
  const image = new Uint8Array(made);
  t.deepEqual(problemsOf(image), []);
  const { client, machine } = mounted('hfs', image);
  t.is(client.list('folder').length, 60);
  const fid = client.open('FOLDER/FILE NUMBER 42', 0);
  t.is(text(client.read(fid)), 'text 42\n');
  client.clunk(fid);
  const ours = client.create('folder/übung');
  client.write(ours, 0, bytes('ours'));
  client.clunk(ours);
  client.rename('folder/file number 7', 'moved');
  client.setxattr('moved', 'com.apple.ResourceFork', bytes('resources'));
  client.detach();
  t.deepEqual(machine.log, []);
  t.deepEqual(problemsOf(image), []);
  const listed = withImage(
    image,
    'hmount image > /dev/null; hls -1 :folder; hls -l; hcopy -r :moved -',
  );
  t.regex(text(listed), /f .* 9 +7 .*moved/);
  t.true(text(listed).endsWith('text 7\n'));
});

test('7-Zip reads what was written: links of both kinds, forks', (t) => {
  if (!have('7z')) return t.pass('no 7z here: skipped');
  const image = newVolume({ kind: 'hfs+', journalBytes: 256 * 1024 });
  const { client } = mounted('hfs+', image);
  client.mkdir('folder');
  const content = new Uint8Array(200_000).map((_, i) => (i * 11) & 0xff);
  const fid = client.create('folder/grün');
  client.write(fid, 0, content);
  client.clunk(fid);
  client.link('folder/grün', 'hard');
  client.symlink('soft', 'folder/grün');
  client.setxattr('hard', 'com.apple.ResourceFork', bytes('resources'));
  client.detach();
  t.deepEqual(problemsOf(image), []);
  const out = withImage(image, '7z e -so -r image "iNode*"; 7z e -so image Test/soft');
  t.true(out.includes(Buffer.from(content)) && out.includes('resources'));
  t.true(text(out).normalize('NFC').endsWith('folder/grün'));
});

test('names are found whatever their case and composition, and swap : and /', (t) => {
  const { client } = mounted('hfs+', newVolume({ kind: 'hfs+' }));
  client.clunk(client.create('Äpfel:9'));
  t.deepEqual(client.list(''), ['Äpfel:9']);
  client.clunk(client.open('äPFEL:9'.normalize('NFD'), 0));
  client.rename('Äpfel:9', 'äpfel:9');
  t.deepEqual(client.list(''), ['äpfel:9']);
  t.throws(() => client.create('x'.repeat(256)));
});

test('attributes are kept inline and in forks, and go with their file', (t) => {
  const image = newVolume({ kind: 'hfs+' });
  const free = (): number => new DataView(image.buffer).getUint32(1024 + 48);
  const first = mounted('hfs+', image);
  first.client.clunk(first.client.create('warm'));
  first.client.setxattr('warm', 'user.warm', bytes('up'));
  first.client.unlink('warm');
  first.client.detach();
  const before = free();
  const { client, machine } = mounted('hfs+', image);
  client.clunk(client.create('file'));
  const fs = machine.volume.fs;
  const large = new Uint8Array(7000).map((_, i) => i & 0xff);
  for (let i = 0; i < 40; i++) client.setxattr('file', `user.small ${i}`, bytes(`value ${i}`));
  client.setxattr('file', 'user.large', large);
  const ino = client.getattr(client.open('file')).qid.path;
  const get = (name: string): Uint8Array | undefined =>
    machine.run(
      machine.volume.engine.run((tx) => fs.getxattr?.(tx, ino, name), { changes: false }),
    );
  t.is(text(get('user.small 17') ?? new Uint8Array(0)), 'value 17');
  t.deepEqual(get('user.large'), large);
  t.is(text(get('') ?? new Uint8Array(0)).split('\0').length, 42);
  client.unlink('file');
  client.detach();
  mounted('hfs+', image).client.detach();
  t.is(free(), before);
  t.deepEqual(problemsOf(image), []);
});

test('a volume that another left mounted is only read', (t) => {
  const image = newVolume({ kind: 'hfs+' });
  const view = new DataView(image.buffer);
  view.setUint32(1024 + 4, 0);
  const { machine, client } = mounted('hfs+', image);
  t.true(machine.volume.readOnly);
  t.throws(() => client.create('x'));
  t.regex(machine.log.join(), /read-only/);
});

const byPath = test.macro({
  exec(t, kind: 'hfs' | 'hfs+') {
    const image = newVolume({ kind });
    const content = new Uint8Array(300_001).map((_, i) => (i * 13 + (i >> 9)) & 0xff);
    const { client } = mounted(kind, image);
    client.clunk(client.create('file'));
    t.deepEqual(client.list('file/..namedfork'), ['data', 'rsrc']);
    const fork = client.open('file/..namedfork/rsrc');
    for (let at = 0, size = 1; at < content.length; at += size, size = (size * 7) % 50_021)
      client.write(fork, at, content.subarray(at, at + size));
    t.true(same(client.read(fork), content));
    t.is(client.getattr(fork).size, content.length);
    client.truncate(fork, 1000);
    client.writeInline(fork, 5000, bytes('behind'));
    client.fsync(fork);
    const due = new Uint8Array(5006);
    due.set(content.subarray(0, 1000));
    due.set(bytes('behind'), 5000);
    t.deepEqual(client.read(fork), due);
    client.clunk(fork);
    const data = client.open('file/..namedfork/data');
    client.write(data, 0, bytes('the file'));
    client.clunk(data);
    t.throws(() => client.create('file/..namedfork/third'), { message: /not permitted/ });
    t.is(client.getattr(client.create('file/..namedfork/rsrc')).size, 5006, 'it is there already');
    t.throws(() => client.unlink('file/..namedfork/rsrc'));
    client.mkdir('folder');
    t.throws(() => client.walk('folder/..namedfork'));
    client.detach();
    t.deepEqual(problemsOf(image), []);
    const again = mounted(kind, image);
    t.deepEqual(again.client.read(again.client.open('file/..namedfork/rsrc', 0)), due);
    t.is(text(again.client.read(again.client.open('file', 0))), 'the file');
  },
  title: (_, kind: string) => `${kind}: the forks of a file have paths below it`,
});
test(byPath, 'hfs');
test(byPath, 'hfs+');

test('a mount ends though files without a name have no thread, and tells of them', (t) => {
  const image = newVolume({ kind: 'hfs+' });
  const rig = new Rig();
  const first = rig.mount(mountHfsPlus, { bytes: image });
  const fs = first.volume.fs as HfsFs;
  const made = ['gone', 'lost', 'also lost'].map((name) =>
    first.change((tx) => fs.create(tx, 2, { name, mode: 0o644, gid: 0, flags: 0 })),
  );
  for (const [i, cnid] of made.entries())
    first.change((tx) => {
      const op = fs.op(tx);
      const item = op.catalog.find(cnid);
      if (item === undefined) throw new Error('it was made');
      op.catalog.move(item, namelessKey(op, item));
      const thread = op.vol.keys.catalogKey({ parent: cnid, name: '' });
      if (i > 0) remove(op.catalog.tree, thread);
      op.finish();
    });
  first.unmount();
  const second = rig.mount(mountHfsPlus, { bytes: image });
  t.deepEqual(second.said, [
    '1 files without a name deleted',
    `files without a name that cannot be deleted: ${made.slice(1).join()}`,
  ]);
});

test('a file whose attribute has a key that does not lead to it is not deleted, and told of', (t) => {
  const image = newVolume({ kind: 'hfs+' });
  const rig = new Rig();
  const first = rig.mount(mountHfsPlus, { bytes: image });
  const fs = first.volume.fs as HfsFs;
  const create = { name: 'file', mode: 0o644, gid: 0, flags: 0 };
  const cnid = first.change((tx) => fs.create(tx, 2, create));
  first.change((tx) => {
    const op = fs.op(tx);
    const item = op.catalog.find(cnid);
    if (item === undefined || op.attributes === undefined) throw new Error('it was made');
    const record = new Uint8Array(AttributeData.size + 2);
    new AttributeData(new DataView(record.buffer)).recordType = ATTRIBUTE_INLINE;
    insert(op.attributes, attributeKey({ cnid, name: 'astray', start: 1 }), record);
    op.catalog.move(item, namelessKey(op, item));
    op.finish();
  });
  first.unmount();
  const second = rig.mount(mountHfsPlus, { bytes: image });
  t.regex(second.said[0] ?? '', /^a file without a name: .* attribute 'astray'/);
  t.is(second.said.at(-1), `files without a name that cannot be deleted: ${cnid}`);
});
