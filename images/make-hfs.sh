#!/bin/sh
# Makes images/hfs.img.zst with hformat and hcopy of hfsutils, images/hfsplus.img.zst and images/hfsx.img.zst with
# the mkfs.hfsplus of Atoll itself (npm run build first): there is no other for Linux. No root needed.
# Times of HFS are those of the run; in Atoll --seed says the time and what is random.
set -eu
cd "$(dirname "$0")"
atoll=../dist/scripts/atoll.js
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work" TZ=UTC

truncate -s 2M "$work/hfs.img"
hformat -l 'Atoll HFS' "$work/hfs.img" > /dev/null
cat > "$work/Read Me" <<'TEXT'
A volume of classic HFS, made by hformat: names of up to 31 characters in MacRoman,
two forks a file. Case makes no difference: try `cat "READ ME"`.
TEXT
seq 1 2000 > "$work/Numbers"
printf 'a resource fork' > "$work/fork"
hmkdir ':Documents'
hcopy -r "$work/Read Me" ':Read Me'
hcopy -r "$work/Numbers" ':Documents:Numbers'
humount

tree='
cd $to
mkdir Documents; seq 1 2000 > Documents/Numbers; ln Documents/Numbers "Same Numbers"
ln -s Documents/Numbers soft; echo "Die Übung in ganzer Länge" > Übung
setfattr -n user.note -v "an attribute" Übung
setfattr -n com.apple.ResourceFork -v "a resource fork" Documents/Numbers
'
make() { # NAME OPTIONS
  truncate -s 6M "$work/$1.img"
  node "$atoll" --seed 1 --disk "$work/$1.img" -c "
    mkfs.hfsplus -q -J512K $2 /dev/sd/sdC0/data && mkdir /tmp/m && mount /dev/sd/sdC0/data /tmp/m
    (to=/tmp/m; $tree $3) && umount /tmp/m && fsck.hfsplus /dev/sd/sdC0/data"
}
make hfsplus '-v HFSPlus' 'echo "Case makes no difference here." > "Read Me"'
make hfsx '-s -v HFSX' 'echo small > name; echo LARGE > NAME'
for name in hfs hfsplus hfsx; do
  zstd -q -19 -f "$work/$name.img" -o "$name.img.zst"
  chmod 644 "$name.img.zst"
done
ls -l ./*hfs*.zst
