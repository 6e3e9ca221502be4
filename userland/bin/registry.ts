// The native programs by name: what `#!native NAME` starts and what the boot archive's /bin holds.

import { main as blkid } from '../fs/blkid.ts';
import { main as exfatlabel } from '../fs/fat/exfatlabel.ts';
import { main as fatlabel } from '../fs/fat/fatlabel.ts';
import { main as fsckExFat } from '../fs/fat/fsck-exfat.ts';
import { main as fsckFat } from '../fs/fat/fsck-fat.ts';
import { main as mkfsExFat } from '../fs/fat/mkfs-exfat.ts';
import { main as mkfsFat } from '../fs/fat/mkfs-fat.ts';
import { main as fsck } from '../fs/fsck.ts';
import { main as fsckExt4 } from '../fs/fsck-ext4.ts';
import { main as fsckHfs } from '../fs/fsck-hfs.ts';
import { main as lsblk } from '../fs/lsblk.ts';
import { main as mkfs } from '../fs/mkfs.ts';
import { main as mkfsExt4 } from '../fs/mkfs-ext4.ts';
import { main as mkfsHfs } from '../fs/mkfs-hfs.ts';
import type { Program } from '../libc/sys.ts';
import { main as sh } from '../sh/main.ts';
import { main as awk } from './awk.ts';
import { main as base64 } from './base64.ts';
import { main as basename } from './basename.ts';
import { main as bc } from './bc.ts';
import { main as bench } from './bench.ts';
import { main as cat } from './cat.ts';
import { main as chmod } from './chmod.ts';
import { main as chown } from './chown.ts';
import { main as cksum } from './cksum.ts';
import { main as clear } from './clear.ts';
import { main as cmp } from './cmp.ts';
import { main as comm } from './comm.ts';
import { main as cp } from './cp.ts';
import { main as csplit } from './csplit.ts';
import { main as cut } from './cut.ts';
import { main as date } from './date.ts';
import { main as dd } from './dd.ts';
import { main as df } from './df.ts';
import { main as diff } from './diff.ts';
import { main as dirname } from './dirname.ts';
import { main as disk } from './disk.ts';
import { main as dmesg } from './dmesg.ts';
import { main as du } from './du.ts';
import { main as echo } from './echo.ts';
import { main as ed } from './ed.ts';
import { main as env } from './env.ts';
import { main as expand } from './expand.ts';
import { main as expr } from './expr.ts';
import { main as factor } from './factor.ts';
import { main as fallocate } from './fallocate.ts';
import { main as false_ } from './false_.ts';
import { main as fault } from './fault.ts';
import { main as file } from './file.ts';
import { main as find } from './find.ts';
import { main as fmt } from './fmt.ts';
import { main as fold } from './fold.ts';
import { main as free } from './free.ts';
import { main as fsync } from './fsync.ts';
import { main as getfattr } from './getfattr.ts';
import { main as grep } from './grep.ts';
import { main as groups } from './groups.ts';
import { main as gzip } from './gzip.ts';
import { main as head } from './head.ts';
import { main as hexdump } from './hexdump.ts';
import { main as hostname } from './hostname.ts';
import { main as id } from './id.ts';
import { main as install } from './install.ts';
import { main as join } from './join.ts';
import { main as kill } from './kill.ts';
import { main as less } from './less.ts';
import { main as link } from './link.ts';
import { main as ln } from './ln.ts';
import { main as login } from './login.ts';
import { main as logname } from './logname.ts';
import { main as ls } from './ls.ts';
import { main as lsof } from './lsof.ts';
import { main as md5sum } from './md5sum.ts';
import { main as mkdir } from './mkdir.ts';
import { main as mkfifo } from './mkfifo.ts';
import { main as mknod } from './mknod.ts';
import { main as mktemp } from './mktemp.ts';
import { main as more } from './more.ts';
import { main as mount } from './mount.ts';
import { main as mv } from './mv.ts';
import { main as nice } from './nice.ts';
import { main as nl } from './nl.ts';
import { main as nohup } from './nohup.ts';
import { main as numfmt } from './numfmt.ts';
import { main as od } from './od.ts';
import { main as paste } from './paste.ts';
import { main as patch } from './patch.ts';
import { main as pathchk } from './pathchk.ts';
import { main as pgrep } from './pgrep.ts';
import { main as pidof } from './pidof.ts';
import { main as printenv } from './printenv.ts';
import { main as printf } from './printf.ts';
import { main as ps } from './ps.ts';
import { main as pwd } from './pwd.ts';
import { main as readlink } from './readlink.ts';
import { main as realpath } from './realpath.ts';
import { main as renice } from './renice.ts';
import { main as rev } from './rev.ts';
import { main as rm } from './rm.ts';
import { main as rmdir } from './rmdir.ts';
import { main as sed } from './sed.ts';
import { main as seq } from './seq.ts';
import { main as setfattr } from './setfattr.ts';
import { main as setsid } from './setsid.ts';
import { main as shuf } from './shuf.ts';
import { main as sleep } from './sleep.ts';
import { main as sort } from './sort.ts';
import { main as split } from './split.ts';
import { main as stat } from './stat.ts';
import { main as strace } from './strace.ts';
import { main as strings } from './strings.ts';
import { main as stty } from './stty.ts';
import { main as su } from './su.ts';
import { main as sum } from './sum.ts';
import { main as sync } from './sync.ts';
import { main as tac } from './tac.ts';
import { main as tail } from './tail.ts';
import { main as tar } from './tar.ts';
import { main as tee } from './tee.ts';
import { main as test } from './test.ts';
import { main as time } from './time.ts';
import { main as timeout } from './timeout.ts';
import { main as top } from './top.ts';
import { main as touch } from './touch.ts';
import { main as tr } from './tr.ts';
import { main as tree } from './tree.ts';
import { main as true_ } from './true_.ts';
import { main as truncate } from './truncate.ts';
import { main as tset } from './tset.ts';
import { main as tsort } from './tsort.ts';
import { main as tty } from './tty.ts';
import { main as umount } from './umount.ts';
import { main as uname } from './uname.ts';
import { main as uniq } from './uniq.ts';
import { main as unlink } from './unlink.ts';
import { main as uptime } from './uptime.ts';
import { main as vi } from './vi.ts';
import { main as watch } from './watch.ts';
import { main as wc } from './wc.ts';
import { main as which } from './which.ts';
import { main as whoami } from './whoami.ts';
import { main as xargs } from './xargs.ts';
import { main as yes } from './yes.ts';
import { main as zstd } from './zstd.ts';

export const programs: Readonly<Record<string, Program>> = {
  '[': test,
  awk,
  factor,
  killall: pidof,
  link,
  logname,
  pathchk,
  pidof,
  printenv,
  setsid,
  strace,
  b2sum: md5sum,
  base32: base64,
  base64,
  basename,
  bc,
  bench,
  blkid,
  cat,
  chgrp: chown,
  chmod,
  chown,
  cksum,
  clear,
  cmp,
  comm,
  cp,
  csplit,
  cut,
  date,
  dd,
  df,
  diff,
  dirname,
  disk,
  dmesg,
  du,
  echo,
  ed,
  egrep: grep,
  env,
  expand,
  expr,
  fallocate,
  false: false_,
  fault,
  fgrep: grep,
  file,
  find,
  fmt,
  fold,
  free,
  exfatlabel,
  fatlabel,
  'fsck.exfat': fsckExFat,
  'fsck.fat': fsckFat,
  'fsck.vfat': fsckFat,
  e2fsck: fsckExt4,
  'fsck.ext2': fsckExt4,
  'fsck.ext3': fsckExt4,
  'fsck.ext4': fsckExt4,
  'fsck.hfs': fsckHfs,
  'fsck.hfsplus': fsckHfs,
  fsck,
  fsync,
  getfattr,
  grep,
  groups,
  hd: hexdump,
  gunzip: gzip,
  gzip,
  head,
  hexdump,
  hostname,
  id,
  install,
  join,
  kill,
  less,
  ln,
  login,
  ls,
  lsblk,
  lsof,
  md5sum,
  mkdir,
  'mkfs.ext2': mkfsExt4,
  'mkfs.ext3': mkfsExt4,
  'mkfs.ext4': mkfsExt4,
  'mkfs.exfat': mkfsExFat,
  'mkfs.fat': mkfsFat,
  'mkfs.vfat': mkfsFat,
  'mkfs.hfs': mkfsHfs,
  'mkfs.hfsplus': mkfsHfs,
  mkfs,
  mkfifo,
  mknod,
  mktemp,
  more,
  mount,
  mv,
  nice,
  nl,
  nohup,
  numfmt,
  od,
  paste,
  patch,
  pgrep,
  pkill: pgrep,
  printf,
  ps,
  pwd,
  readlink,
  realpath,
  renice,
  reset: tset,
  rev,
  rm,
  rmdir,
  sed,
  seq,
  setfattr,
  sh,
  sha1sum: md5sum,
  sha224sum: md5sum,
  sha256sum: md5sum,
  sha384sum: md5sum,
  sha512sum: md5sum,
  shuf,
  sleep,
  sort,
  split,
  stat,
  strings,
  stty,
  su,
  sum,
  sync,
  tac,
  tail,
  tar,
  tee,
  test,
  time,
  timeout,
  top,
  touch,
  tr,
  tree,
  true: true_,
  truncate,
  tsort,
  tset,
  tty,
  umount,
  uname,
  unexpand: expand,
  uniq,
  unlink,
  uptime,
  vi,
  view: vi,
  watch,
  wc,
  which,
  whoami,
  xargs,
  yes,
  unzstd: zstd,
  zcat: gzip,
  zstd,
  zstdcat: zstd,
};
