// The tree that programs are compared on with the host's tools: files, links, holes in names, times.

export const TREE = String.raw`
umask 022
mkdir -p d/sub/deep e 'sp ace'
printf hello > a; printf 'hello world\n' > b; printf '' > empty; printf '#!/bin/sh\n' > run; chmod 755 run
printf x > d/x; printf yy > d/sub/y; printf zzz > d/sub/deep/z; printf h > d/.hid; printf q > 'sp ace/q q'
ln a hard; ln -s a sym; ln -s d dirlink; ln -s nowhere dangling; ln -s loop loop
touch -d '2001-02-03 04:05:06' a; touch -d '2010-01-01 00:00:00' b d/x; touch -d '2015-06-07 08:09:10' d/sub/y d/sub/deep/z
touch -d '2012-12-12 12:12:12' empty run 'sp ace/q q' d/.hid; touch -h -d '2011-01-01' sym dirlink dangling loop
touch -d '2003-03-03' d/sub/deep; touch -d '2004-04-04' d/sub; touch -d '2005-05-05' d e 'sp ace'
`;
