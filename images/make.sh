#!/bin/sh
# Makes images/ext4.img.zst with the real mkfs.ext4 and zstd; no root needed. Run it in this folder.
# The identifiers and times are fixed, so that the same tools make the same image.
set -eu
cd "$(dirname "$0")"
export SOURCE_DATE_EPOCH=1735689600 E2FSPROGS_FAKE_TIME=1735689600 TZ=UTC
tree=$(mktemp -d)
image=$(mktemp)
trap 'rm -rf "$tree" "$image"' EXIT
umask 022

mkdir -p "$tree/docs" "$tree/bin" "$tree/data/deep/er"
cat > "$tree/README" <<'TEXT'
This is a real ext4 volume, made by mkfs.ext4: look around, write to it, break it.
It is attached as an overlay: the image file stays as it is, your changes end with the machine.

  ls -l /mnt/sdC0          mount          df /mnt/sdC0
  echo hello > /mnt/sdC0/hello && sync && cat /mnt/sdC0/hello
TEXT
cat > "$tree/docs/poem" <<'TEXT'
A ring of coral keeps
the ocean out, the water in;
a journal keeps what was.
TEXT
cat > "$tree/bin/hello" <<'TEXT'
#!/bin/sh
echo "Hello, ${1:-world}, from a script on ext4."
TEXT
chmod 755 "$tree/bin/hello"
seq 1 5000 > "$tree/data/numbers"
echo 'a file far down' > "$tree/data/deep/er/file"
: > "$tree/data/empty"
truncate -s 3M "$tree/data/sparse"
printf 'end of the hole\n' >> "$tree/data/sparse"
ln -s docs/poem "$tree/poem"
ln -s "$(printf 'a/link/longer/than/sixty/bytes/%s' docs/../docs/../docs/../docs/../docs/poem)" "$tree/data/slow-link"
ln "$tree/data/numbers" "$tree/data/same-numbers"
find "$tree" -exec touch -h -d @1735689600 {} +

truncate -s 32M "$image"
mkfs.ext4 -q -F -b 4096 -L atoll -E root_owner=0:0,hash_seed=6f1c2a52-8c8e-4f83-9d1e-0c2b8a3f5a11 \
  -U a7011000-0000-4000-8000-000000000001 -d "$tree" "$image"
# mkfs copies the owner of each file: all of it is to be root's.
if [ "$(id -u)" != 0 ]; then
  (cd "$tree" && find . -mindepth 1 | sed 's/^\.//') | while read -r path; do
    printf 'sif %s uid 0\nsif %s gid 0\n' "$path" "$path"
  done | debugfs -w -f - "$image" > /dev/null 2>&1
fi
e2fsck -fn "$image" > /dev/null 2>&1
zstd -q -19 -f "$image" -o ext4.img.zst
chmod 644 ext4.img.zst
ls -l ext4.img.zst
