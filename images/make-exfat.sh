#!/bin/sh
# Makes images/exfat.img.zst with the real mkfs.exfat and exfatlabel; as nothing else writes exFAT without a
# mount, Atoll itself puts the files in (npm run build first). No root needed: fsck.exfat has the last word.
set -eu
cd "$(dirname "$0")"
atoll=../dist/scripts/atoll.js
image=$(mktemp)
trap 'rm -f "$image"' EXIT
export TZ=UTC LC_ALL=C.UTF-8

truncate -s 4M "$image"
mkfs.exfat -c 4K -b 64K -L ATOLL "$image" > /dev/null
exfatlabel -i "$image" 0xa7011005 > /dev/null
node "$atoll" --seed 1 --disk "$image" -c '
  cd /mnt/sdC0 && mkdir -p "Documents/Letters to nobody" DATA
  printf "%s\n" "This is a real exFAT volume, made by mkfs.exfat: look around, write to it, break it." \
    "It is attached as an overlay: the image file stays as it is, your changes end with the machine." > README.TXT
  printf "Dear reader,\r\n\r\nall is well.\r\n" > "Documents/Letters to nobody/first letter.txt"
  echo "café αβγ" > Documents/Résumé.txt
  seq 1 5000 > DATA/NUMBERS; truncate -s 100K "DATA/never written"; : > "DATA/empty file"
  chmod a-w README.TXT; cd /; umount /mnt/sdC0'
fsck.exfat -n "$image"
zstd -q -19 -f "$image" -o exfat.img.zst
chmod 644 exfat.img.zst
ls -l exfat.img.zst
