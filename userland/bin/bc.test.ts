// bc against the host's: the same programs on standard input.

import test from 'ava';
import fc from 'fast-check';
import { compare } from '../libc/testing/differential.ts';

const same = test.macro({
  exec(t, stdin: string, run: string) {
    compare(t, { run, stdin: `${stdin}\n`, ignore: ['stderr'] });
  },
  title: (_, stdin: string, run: string) => `${run} ${stdin}`.trim().slice(0, 200),
});

const programs: readonly string[] = [
  '1+1; 2*3; 7/2; 7%2; -7/2; -7%2; 2^10; 2^-1',
  'a = 1 < 2; a; a = b = 2 == 2; b',
  'scale=5; 7/2; 1/3; -1/3; 2^-2; 7.5%2; 7.55%2.1; 1.23456789*1.1; 10%3.3',
  'scale=3; 1.5*2.25; .5*.5; 0.00; .5; -.5; 1.0; 100; 3.14159+2',
  'sqrt(2); scale=10; sqrt(2); sqrt(144); sqrt(0); sqrt(1.44)',
  'length(12345); length(0.005); length(1.2345); length(0); scale(1.234); scale(5); length(100)',
  'a=5; a; (a=7); a+=3; a; a++; a; ++a; --a; a--; a; b=c=4; b; c; a^=2; a; a%=7; a',
  'x[1]=5; x[2]=x[1]*2; x[2]; x[99]; i=1; x[i+1]',
  'define f(n) { if (n <= 1) return (1); return (n * f(n-1)) }\nf(5); f(30)',
  'define f(x) {\n  auto a, b[]\n  a = x * 2\n  b[0] = a\n  return (b[0] + 1)\n}\na = 9; f(4); a; b[0]',
  'define f(a[], n) { auto i, s\n for (i = 0; i < n; i++) s += a[i]\n a[0] = 99\n return (s) }\nz[0]=1; z[1]=2; f(z[], 2); z[0]',
  'for (i = 0; i < 3; i++) i\nwhile (i > 0) { i; i = i - 1 }\nif (1 < 2) 10\nif (2 < 1) 20',
  'if (1 > 2) 1 else 2\nif (1) { 3 } else { 4 }',
  'for (i = 0; i < 10; i++) { if (i == 2) continue; if (i == 5) break; i }',
  '"hello"; "a\nb\n"; 1; "x"; 2',
  'print "a", 1+1, "b\\n"; print 3, "\\t", 4, "\\n"',
  'obase=16; 255; 10; 0; 4096; -255; obase=2; 10; 255; obase=8; 64',
  'ibase=16; FF; 10; A; ibase=A; 10; ibase=2; 1010; 111',
  'obase=16; ibase=16; FF+1; 1F*2',
  'obase=20; 399; 400; 12345; obase=100; 123456; 5',
  'scale=4; obase=2; .5; .25; 3.125; obase=16; 0.1; 255.5; obase=20; 1.5',
  '2^200; 2^1000; 3^500',
  '99999999999999999999*99999999999999999999; 123456789012345678901234567890/987654321',
  '1==1; 1!=1; 2>1; 2>=2; 1<0; 1<=0; !0; !5; 1&&0; 1||0; 1&&1',
  '(1+2)*3; -(2+3); -2^2; 2^3^2; 10-5-2; 100/10/2; 2*3%4; 1+2*3',
  '1/0; 5; 5%0; 6',
  'a=1;b=2;a;b;;c',
  '# comment\n1 /* two\nlines */ + 2\n3 # end',
  '1 + \\\n2',
  'define void p(x) { print x, "\\n" }\np(5)',
  'define f(x) { return (x*x) }; f(3)+f(4); f(f(2))',
  'scale=20; 1/7; 22/7; .1+.2; 1.10+2.200; 5.000; 5.000*2',
  'last; 5; last+1; .*2',
  'scale=2; (1.999)/1; 1.999*1; 2.005*100/1; -1.999/1',
  '1;quit;2',
  '1\nhalt\n2',
  'foo(3); 4',
  '1 + ; 2\n3',
  'x = 3 4\n5',
  'scale=50; sqrt(3)',
  '1.1^3; scale=1; 1.1^3; 1.1^30; 2.5^0; 0^0; 0^5',
  'n=5; n; n = n * n; n\nm[n]=n; m[25]',
  'define r(n) { if (n == 0) return 0; return n + r(n - 1) }\nr(100)',
  'if (0) "no"\nif (1) "yes\n"',
];
for (const one of programs) test(same, one, 'bc -q');

const functions: readonly string[] = [
  's(1); c(1); a(1)*4; l(10); e(1); l(2); e(10); s(0); c(0); a(0); e(0); l(1)',
  'scale=40; e(1); 4*a(1); l(2); s(.5); c(.5); s(100); c(-3)',
  'j(0,1); j(1,2.5); j(2,.1); j(-1,2)',
  'e(-5); e(.001); e(-50); e(50.5); l(.5); l(12345.678); a(100); a(-.2)',
  'scale=0; e(1); l(100); a(10); s(2)',
  'scale=5; e(l(7)); x=2; e(x*l(3))',
  'pi=4*a(1); pi; 2*pi*5',
];
for (const one of functions) test(same, one, 'bc -lq');

test('random sums, products, quotients and powers are those of the host', (t) => {
  const seed = Number(process.env.SEED ?? Date.now() & 0xffff);
  t.log(`seed ${seed}`);
  const number = fc.stringMatching(/^-?[0-9]{1,25}(\.[0-9]{1,12})?$/);
  const line = fc
    .tuple(number, fc.constantFrom('+', '-', '*', '/', '%', '<', '=='), number)
    .map(([a, op, b]) => `0+(${a})${op}(${b})`); // + 0: GNU bc has a -0
  const power = fc
    .tuple(fc.stringMatching(/^-?[0-9]{1,4}(\.[0-9]{1,3})?$/), fc.integer({ min: -9, max: 20 }))
    .map(([a, n]) => `0+(${a})^(${n})`);
  const lines = fc.sample(fc.oneof(line, power), { seed, numRuns: 400 });
  const bases = ['scale=7', 'scale=0', 'obase=16', 'obase=7', 'scale=30', 'obase=25'];
  const stdin = lines.map((one, i) => (i % 50 === 0 ? `${bases[(i / 50) % 6]}\n${one}` : one));
  compare(t, { run: 'bc -q', stdin: `${stdin.join('\n')}\n`, ignore: ['stderr'] });
});

// What goes beyond POSIX is refused as a whole line.
for (const program of [
  'print 1\n2',
  'a=1; 2==3; 4\n5',
  'abc=3\nb=4\nb',
  'if (1) 5 else 6\nif (1 < 2) 7\nif (1 < 2 && 3) 8',
  'for (;;) { 3; break }\nfor (i = 0; i < 2; i++) i',
  'define f(x) { return (x) }\nf(2)\ndefine g(x) {\nreturn x\n}\ng(2)\ndefine h(x) {\nreturn (x)\n}\nh(2)',
  'last\n!1\na[1]=2;a[1]\nx = 1 < 2\nx',
])
  test(same, program, 'bc -s');
