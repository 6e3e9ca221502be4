// The programs that work on files and trees against the host's coreutils and findutils: same words,
// same status, same tree afterwards.

import test from 'ava';
import { compare } from '../libc/testing/differential.ts';

const tree = String.raw`
umask 022
mkdir -p d/sub/deep e 'sp ace'
printf hello > a; printf 'hello world\n' > b; printf '' > empty; printf '#!/bin/sh\n' > run; chmod 755 run
printf x > d/x; printf yy > d/sub/y; printf zzz > d/sub/deep/z; printf h > d/.hid; printf q > 'sp ace/q q'
ln a hard; ln -s a sym; ln -s d dirlink; ln -s nowhere dangling; ln -s loop loop
touch -d '2001-02-03 04:05:06' a; touch -d '2010-01-01 00:00:00' b d/x; touch -d '2015-06-07 08:09:10' d/sub/y d/sub/deep/z
touch -d '2012-12-12 12:12:12' empty run 'sp ace/q q' d/.hid; touch -h -d '2011-01-01' sym dirlink dangling loop
touch -d '2003-03-03' d/sub/deep; touch -d '2004-04-04' d/sub; touch -d '2005-05-05' d e 'sp ace'
`;

const same = test.macro({
  exec(t, run: string, more?: { ignore?: readonly ('stderr' | 'stdout' | 'tree')[]; sorted?: true }) {
    compare(t, { run, tree, ...more });
  },
  title: (_, run) => run,
});

const cases: readonly string[] = [
  'ls', 'ls -a', 'ls -A', 'ls -1', 'ls -R', 'ls -t', 'ls -tr', 'ls -S', 'ls -Sr', 'ls -d d', 'ls -d', 'ls -F', 'ls -p', 'ls a b d', 'ls d e', 'ls missing', 'ls missing a', 'ls -C', 'ls -x', 'ls -m', 'ls -C -w 20', 'ls -x -w 20', 'ls -m -w 20', 'ls -Q', 'ls -X', 'ls -U a b', 'ls -v', 'ls -Z9', 'ls dirlink', 'ls -d dirlink', 'ls -F dirlink', 'ls -L', 'ls -H dirlink', 'ls -R d', 'ls -aR d', 'ls sym', 'ls --color=auto', 'ls --group-directories-first', 'ls --sort=size', 'ls --sort=bad', 'ls -r', 'ls loop', 'ls empty', 'ls e', 'ls --file-type', 'ls -w x',
  'ls -l a b', 'ls -ln a', 'ls -lh a b', 'ls -l --full-time a', 'ls -l --time-style=long-iso a b', 'ls -l --time-style=+%Y a b', 'ls -lg a', 'ls -lo a', 'ls -lG a', 'ls -l sym dangling', 'ls -l dirlink', 'ls -lF sym run', 'ls -lL sym', 'ls -lu a', 'ls -s a b', 'ls -ls a b', 'ls -ld d e', 'ls -lt a b empty', 'ls -l d', 'ls -lR d', 'ls -la e', 'ls -1l a', 'ls -nS a b empty',
  'mkdir new', 'mkdir new/deep', 'mkdir -p new/deep/er', 'mkdir d', 'mkdir -p d', 'mkdir -v new n2', 'mkdir -pv x/y/z', 'mkdir -m 700 n7', 'mkdir -m u=rwx,go= n8', 'mkdir -m bad n', 'mkdir', 'mkdir a/b', 'mkdir -p a/b', 'mkdir -p new/', 'mkdir -m 1777 sticky', 'mkdir -p -m 700 p/q',
  'rmdir e', 'rmdir d', 'rmdir a', 'rmdir missing', 'rmdir -p d/sub/deep', 'rmdir -v e', 'rmdir --ignore-fail-on-non-empty d', 'rmdir', 'rmdir e/',
  'rm a', 'rm missing', 'rm -f missing', 'rm d', 'rm -r d', 'rm -rv e', 'rm -v a b', 'rm -d e', 'rm -d d', 'rm -rf d e missing', 'rm', 'rm -f', 'rm dirlink', 'rm -r dirlink', 'rm dangling loop', 'rm -r .', 'rm -r d/..', 'rm dirlink/', 'rm -R d/sub', 'rm a/b', 'rm -f a/b', "rm 'sp ace'",
  'cp a new', 'cp a b', 'cp a d', 'cp a b d', 'cp d new', 'cp -r d new', 'cp -r d e', 'cp -R d e new', 'cp missing new', 'cp a', 'cp', 'cp a missing/x', 'cp a b c', 'cp -v a new', 'cp -rv e new', 'cp -p a new', 'cp -a d new', 'cp -a . e', 'cp -r d d/sub', 'cp -r d d', 'cp a a', 'cp a hard', 'cp a sym', 'cp sym new', 'cp -P sym new', 'cp -d sym new', 'cp -L sym new', 'cp -r dirlink new', 'cp -rL d new', 'cp -n a b', 'cp -u a b', 'cp -u b a', 'cp -t d a b', 'cp -T d e', 'cp -rT d e', 'cp -l a new', 'cp -s a new', 'cp a hard new', 'cp -a a hard d', 'cp --preserve=mode run new', 'cp -r d/ new', 'cp dangling new', 'cp -d dangling new', 'cp -r d a', 'cp a e/', 'cp a new/', 'cp a d/x', 'cp -f a b', 'cp --remove-destination a hard', 'cp --parents d/sub/y e', 'cp run new', 'cp empty new', 'cp loop new', 'cp -H dirlink new', 'cp -rH dirlink new', 'cp -x a new', 'cp --sparse=always a new', 'cp --attributes-only a new', 'cp a b e',
  'mv a new', 'mv a b', 'mv a d', 'mv a b d', 'mv d e', 'mv d new', 'mv missing x', 'mv a', 'mv', 'mv a missing/x', 'mv a b c', 'mv -v a new', 'mv -n a b', 'mv -u a b', 'mv -T d e', 'mv d d/sub', 'mv a a', 'mv a hard', 'mv d a', 'mv a d/sub', 'mv -t d a b', 'mv sym new', 'mv d/x .', 'mv -T a e', 'mv e d', 'mv -f a b', 'mv dangling new', 'mv a new/',
  'ln a new', 'ln -s a new', 'ln a b', 'ln -f a b', 'ln -s a b', 'ln -sf a b', 'ln -s a d', 'ln -s d dirlink', 'ln -sfn e dirlink', 'ln -sT a d', 'ln missing x', 'ln d new', 'ln', 'ln -v a new', 'ln -sv a new', 'ln a b d', 'ln -t d a b', 'ln -sr d/x e/l', 'ln a', 'ln -s /abs/target', 'ln sym new', 'ln -L sym new', 'ln -P sym new', 'ln -f a a', 'ln -f a hard', 'ln a x/y', 'ln -s a b missing',
  'touch new', 'touch a', 'touch -c new', 'touch -d 2009-09-09 a', "touch -d '2009-09-09 10:11:12' a", 'touch -t 200901021314 a', 'touch -t 200901021314.15 a', 'touch -t 0901021314 a', 'touch -r b a', 'touch -m -d 2009-09-09 a', 'touch -a -d 2009-09-09 a', 'touch', 'touch missing/x', 'touch -d nonsense a', 'touch -t 99 a', 'touch -r missing a', 'touch -h -d 2009-09-09 sym', 'touch -d @1000000000 a', 'touch -d @1000000000.5 a', 'touch dangling', 'touch -d 2009-02-30 a',
  'chmod 600 a', 'chmod u+x a', 'chmod go-r a b', 'chmod a=r a', 'chmod +x a', 'chmod -x run', 'chmod u=g a', 'chmod g+w,o-r a', 'chmod -R 700 d', 'chmod -R a-w,a+X d', 'chmod -v 600 a', 'chmod -c 644 a', 'chmod 4755 run', 'chmod u+s,g+s run', 'chmod +t d', 'chmod bad a', 'chmod', 'chmod 644', 'chmod 644 missing', 'chmod -f 644 missing', 'chmod --reference=run a', 'chmod 0 a', 'chmod -- -x run', 'chmod a-rwx,u+r a', 'chmod ugo+rwX a run', 'chmod 755 sym', 'chmod 644 dangling', 'chmod =r a', 'chmod g=u-w a', 'chmod 99 a',
  'stat -c %n a', "stat -c '%s %F %a %A %h' a d sym empty", 'stat -c %N sym a', 'stat -c %Y a', 'stat -c %y a', 'stat -c %X-%u-%g a', 'stat missing', 'stat', 'stat -L -c %F sym dirlink', 'stat -c %b-%B a', 'stat --printf %s\\n a b', "stat -c '%10s|%-10s|%010s' a", 'stat -c %i-%d a', 'stat a', 'stat sym', 'stat d', 'stat -t a', "stat -c '%f %o %t %T' a", 'stat -c %U:%G a', 'stat -c %q a', 'stat -c %.3Y a', "stat -f -c '%s %l' a", 'stat -c %% a', 'stat -c %.2y a', 'stat -c %#a a', 'stat -c %04a a',
  'readlink sym', 'readlink a', 'readlink -n sym', 'readlink missing', 'readlink -v a', 'readlink', 'readlink sym dirlink', 'readlink -z sym', 'readlink -v missing', 'readlink -e missing', 'readlink -f loop', 'readlink -e dangling',
  'basename /a/b/c', 'basename a.c .c', 'basename /', 'basename a/', 'basename -a x/y z/w', 'basename -s .c a.c b.c', 'basename', 'basename a b c', 'basename .c .c', 'basename //', "basename ''", 'dirname /a/b', 'dirname a', 'dirname /', 'dirname a/b/ c', 'dirname', 'dirname //a', 'dirname a//b', 'dirname -z a/b',
  'du -s d', 'du d', 'du -a d', 'du -ab d', 'du -sb d e', 'du -c d e', 'du -d 1 d', 'du -h d', 'du missing', 'du -sk a hard', 'du -l a hard', 'du --apparent-size -a d', 'du -S d', 'du -sh .', 'du -m d', 'du a', 'du -B1 d', 'du -x d', 'du --max-depth=0 d', 'du -s -a d', 'du -0 d',
  'truncate -s 3 a', 'truncate -s +10 a', 'truncate -s -2 a', 'truncate -s 1K new', 'truncate -c -s 5 new', 'truncate a', 'truncate -s x a', 'truncate -r b a', 'truncate -s %4 a', 'truncate', "truncate -s '<3' a",
  'find', 'find d', 'find . -name *', 'find d -type f', 'find d -type d', 'find . -type l', 'find d -name x -o -name y', 'find d ! -name x', 'find d -not -name y', 'find . -maxdepth 1', 'find d -mindepth 1', 'find d -depth', 'find . -empty', 'find . -size +0', 'find . -size -2c', 'find . -size 5c', 'find . -newer b', 'find . -perm 755', 'find . -perm -111', 'find . -perm /111', 'find . -perm -u+x', 'find . -links 2', 'find . -samefile a', 'find . -iname A', 'find . -path ./d/*', 'find d -prune', 'find . -name d -prune -o -print', 'find d -print0', 'find d -delete', 'find d -type f -delete', 'find d ( -name x -o -name y ) -print', 'find . -mtime +100', 'find . -mtime -1', 'find missing', 'find d -nosuch', 'find d -name', 'find d -type q', 'find -L . -type f', 'find -H dirlink', 'find dirlink', 'find dirlink/', 'find d -exec echo {} ;', 'find d -type f -exec echo X {} +', 'find d -exec false ; -print', 'find d -name x -quit', 'find d -printf %f\\n', "find d -printf '%p %s %m %y %d %P %h\\n'", 'find . -user root', 'find . -user nosuchuser', 'find d -xdev', 'find d , -name x', 'find d -true', 'find d -false', 'find d e', 'find d -maxdepth x', 'find d -size 1q', 'find d )', 'find d (', 'find d x -print', 'find d -newermt 2009', 'find . -lname a', 'find d -mmin +5', 'find a', 'find d/ -maxdepth 1', 'find d -name x -print -o -name y -print', 'find . -xtype l', 'find . -not -type d -name *a*', 'find d -exec missingprogram {} ;', "find d -execdir echo {} ;", 'find . -readable -name a', 'find d -printf %T@\\n', "find a -printf '%TY-%Tm-%Td %TH:%TM\\n'", 'find a -printf %t\\n', 'find d -type f,d', 'find . -name [ab]', 'find . -name ?', "find . -printf '%-10f|%5s|\\n'",
  'realpath a missing/../b', 'realpath -e missing', 'mktemp -u tmp.XX', 'mktemp /nonexistent/XXXXXX', 'mktemp a b', 'sync a', 'sync missing', 'pwd extra',
  'dd if=b of=new', 'dd if=b of=new bs=4 count=2', 'dd if=b bs=3 skip=1 count=1', 'dd if=b of=a bs=2 seek=1', 'dd if=b of=a bs=2 seek=1 conv=notrunc', 'dd if=b conv=ucase', 'dd if=b conv=swab', 'dd if=a ibs=3 obs=2 conv=sync', 'dd if=missing', 'dd of=/nonexistent/x', 'dd bogus', 'dd bs=x', 'dd bs=0', 'dd if=b status=none', 'dd if=b status=noxfer', 'dd if=b of=new count=0', 'dd if=b of=new conv=excl', 'dd if=b of=a conv=excl', 'dd conv=bogus', 'dd if=b of=new bs=1k', 'dd if=b skip=3 iflag=skip_bytes status=none', 'dd if=b bs=1 count=5 status=noxfer', 'dd if=b of=new conv=nocreat', 'dd if=b of=a oflag=append conv=notrunc status=none', 'dd if=b bs=2x2 count=1 status=none', 'dd if=d status=none',
];
/** Their last line tells how long it took; find and du list in the host's order. */
const unlike = (run: string): { ignore?: readonly ('stderr' | 'stdout')[]; sorted?: true } => {
  if (/^dd/.test(run) && !/status=|missing|bogus|bs=[x0]|nonexistent|excl/.test(run)) return { ignore: ['stderr'] };
  if (/^dd.*excl/.test(run)) return { ignore: run.includes('of=new') ? ['stderr'] : [] };
  if (/^stat (a|sym|d|-t a|-c %i-%d a)$|-printf %T@/.test(run)) return { ignore: ['stdout'] };
  return /^(find|du|rm -rv|cp -.*v|chmod -R)/.test(run) ? { sorted: true } : {};
};
for (const run of cases) test(same, run, unlike(run));
