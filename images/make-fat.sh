#!/bin/sh
# Makes images/fat12.img.zst, fat16.img.zst and fat32.img.zst with the real mkfs.fat, mtools and zstd; no
# root needed. Run it in this folder. Numbers and times are fixed: the same tools make the same images.
set -eu
cd "$(dirname "$0")"
export SOURCE_DATE_EPOCH=1735689600 TZ=UTC LC_ALL=C.UTF-8 MTOOLS_SKIP_CHECK=1
tree=$(mktemp -d)
image=$(mktemp)
trap 'rm -rf "$tree" "$image"' EXIT
umask 022

mkdir -p "$tree/Documents/Letters to nobody" "$tree/DATA"
cat > "$tree/README.TXT" <<'TEXT'
This is a real FAT volume, made by mkfs.fat and mtools: look around, write to it, break it.
It is attached as an overlay: the image file stays as it is, your changes end with the machine.
TEXT
printf 'Dear reader,\r\n\r\nall is well.\r\n' > "$tree/Documents/Letters to nobody/first letter.txt"
printf 'caf\303\251 \316\261\316\262\316\263\n' > "$tree/Documents/Résumé.txt"
seq 1 5000 > "$tree/DATA/NUMBERS"
: > "$tree/DATA/empty file"
find "$tree" -exec touch -d @1735689600 {} +

# NAME KIB MKFS-OPTION...
make() {
  name=$1
  kib=$2
  shift 2
  : > "$image"
  truncate -s "${kib}K" "$image"
  mkfs.fat --invariant -i a7011005 -n ATOLL "$@" "$image" > /dev/null
  mcopy -s -m -Q -i "$image" "$tree/README.TXT" "$tree/Documents" "$tree/DATA" ::
  mattrib +r -i "$image" ::README.TXT
  fsck.fat -n "$image" > /dev/null
  zstd -q -19 -f "$image" -o "$name.img.zst"
  chmod 644 "$name.img.zst"
}
make fat12 1440 -F 12
make fat16 9216 -F 16 -s 4
make fat32 34816 -F 32 -s 1
ls -l fat*.img.zst
