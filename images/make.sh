#!/bin/sh
# Makes images/ext4.img.zst, ext4-inline.img.zst and ext4-old.img.zst with the real mkfs.ext4 and zstd; no root
# needed. Run it in this folder.
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

# NAME MIB NUMBER MKFS-OPTION...
make() {
  name=$1
  mib=$2
  number=$3
  shift 3
  : > "$image"
  truncate -s "${mib}M" "$image"
  mkfs.ext4 -q -F -L atoll -E root_owner=0:0,hash_seed=6f1c2a52-8c8e-4f83-9d1e-0c2b8a3f5a11 \
    -U "a7011000-0000-4000-8000-00000000000$number" -d "$tree" "$@" "$image"
  # mkfs copies the owner and the time of change of each file: all of it is root's and of one moment.
  (cd "$tree" && find . -mindepth 1 | sed 's/^\.//') | while read -r path; do
    printf 'sif %s uid 0\nsif %s gid 0\nsif %s ctime 20250101000000\nsif %s atime 20250101000000\n' "$path" "$path" "$path" "$path"
    [ "$number" = 3 ] || printf 'sif %s ctime_extra 0\nsif %s atime_extra 0\n' "$path" "$path"
  done | debugfs -w -f - "$image" > /dev/null 2>&1
  e2fsck -fn "$image" > /dev/null 2>&1
  zstd -q -19 -f "$image" -o "$name.img.zst"
  chmod 644 "$name.img.zst"
}
make ext4 32 1 -b 4096
make ext4-inline 8 2 -b 1024 -I 256 -O inline_data,orphan_file,metadata_csum_seed,sparse_super2 -J size=1
make ext4-old 8 3 -b 1024 -I 128 -O ^extents,^64bit,^metadata_csum,^flex_bg,uninit_bg -J size=1
ls -l ext4*.img.zst
