// Characters that look like an ASCII one, and which: the table of obscenity 0.4.6, less what NFKD undoes by itself.
// Copied rather than imported, because loading the library costs more time than loading the whole screen.
// Code points in base 36, so that an editor shows them and no bidirectional character hides in the source.
//
// obscenity, https://github.com/jo3-l/obscenity
// # The MIT License (MIT)
//
// Copyright © 2025 Joseph Liu.
//
// Permission is hereby granted, free of charge, to any person
// obtaining a copy of this software and associated documentation
// files (the “Software”), to deal in the Software without
// restriction, including without limitation the rights to use,
// copy, modify, merge, publish, distribute, sublicense, and/or sell
// copies of the Software, and to permit persons to whom the
// Software is furnished to do so, subject to the following
// conditions:
//
// The above copyright notice and this permission notice shall be
// included in all copies or substantial portions of the Software.
//
// THE SOFTWARE IS PROVIDED “AS IS”, WITHOUT WARRANTY OF ANY KIND,
// EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES
// OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
// NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT
// HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY,
// WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING
// FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR
// OTHER DEALINGS IN THE SOFTWARE.
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  '0': '7b3',
  '1': '7at 7sm 7sw 7t6 868',
  '2': 'br bs cb 43i 43j 4d9 5r8 7au 7sn 7sx 7t7',
  '3': 'c7 ca f0 ia ib t3 tz wo wp yo yp 529 5r3 5r7 5ui 7av 7so 7sy 7t8 8uk x2i x4b',
  '4': 'uf xi xj xk xl y3 3wu 7aw 7sp 7sz 7t9 9pl',
  '5': 'cc cd 7ax 7sq 7t0 7ta',
  '6': 'rw rx tt 3xq 53c 7ay 7sr 7t1 7tb 8uq',
  '7': '7az 7ss 7t2 7tc 1fiq',
  '8': '1yi 7b0 7st 7t3 7td 1f6i',
  '9': '10z 1yl 21z 294 7b1 7su 7t4 7te 8ui x2m',
  a:
    'bf fu gg gh gi i4 pd pn q9 qj sw t0 ts tw 12p 2ro 3bv 3kd 3vu 3vz 48h 4at 4bt 5q8 5u7 5u8 6gj ' +
    '6ps 6pu 706 70a 8rp wku xve 1f34 2q8g 2q9c 2qcm',
  b:
    '67 72 ao ap aq ar as at g3 gj ha ih pe qa sx sy tm to tu ui uk v6 v7 wc wd 11h 2li 2tb 2tu 2ty ' +
    '3c9 3ca 3rg 3wv 3xw 3y4 41e 41f 41q 41r 41s 41t 41u 420 45q 48p 48q 49m 4a7 4c7 4c8 4c9 4cd 4ce ' +
    '4cf 4eu 4ev 4ew 4f1 4f2 4f3 4ia 5qb 5ts 61q 7l9 fgj wk0 x4k 1f2a 1f35 1f5t 2q8h 2q9d 2qcn',
  c:
    '4i 4p au av aw fv fw hp if qq rf se td u9 w0 w1 x6 x7 11j 1sv 1v2 3l9 3xb 40l 40m 40x 40y 40z 410 411 412 43g ' +
    '45p 4ed 510 53u 5qc 6gl 6mb 6mc 6nv 7jy 8tg 8th 9oo gey wil wka xwv 1f36 1f5u 1fdh 1fel 2q8i 2q9e 2qco',
  d:
    '5s 66 7k 7l ax ay b0 gm gn io zk zl zn 116 12i 3vk 3xj 41b 41c 41d 41m 41n 41o 41p 41w 4bi 4bj ' +
    '4bk 4bu 4bv 4bw 5qd 5qe 5t9 5tt 5u9 6gb 6m9 wk2 wk3 xv4 2q8j 2q9f 2qcp',
  e:
    'b2 b4 d9 g6 g7 go gr ph qd sk t1 tx us xp xq xr 100 101 25r 3vw 48e 50x 53d 5qf 5ua 6gc 6jy 8xl ' +
    '9nm fgn vph wkw xvg 1f2e 2q8k 2q9g 2qcq',
  f: 'b5 b6 hv hw rg rh wi wj 10y 12a 3nf 4ac 5tu 6g3 6k2 6r5 w4w wkd x3s 1f2f 1f39 2q8l 2q9h 2qcr',
  g: 'b7 dg dh gw gx gy ij zw zx 135 25p 3wg 3xv 3y3 4d8 535 6gi 6kh wk6 xw0 2q8m 2q9i 2qcs',
  h:
    '86 87 dy h1 h2 h3 ik pj t9 u5 uq wy wz x0 x1 xm xn xz y0 y1 zv 12j 12o 3oo 3op 3oq 3or 3q6 3wb ' +
    '40b 48s 4ap 4hm 7kj 8rr 8rs 8su 9lf gg4 wkn xvv 1f4f 2q8n 2q9j 2qct',
  i: 'bb h4 h6 uu 14w 17r 19d 19u 19v 1dd 1je 3wm 40a 4ht 4qg 50j 5ue 6qr 8y7 9lz 9m0 vms 2q8o 2q9k 2qcu',
  j:
    'fr g8 g9 hy ie il s3 so uw 11e 12t 15s 18k 1bq 2sn 2th 3ap 3rf 3vv 425 426 427 42g 42h 42i 42j ' +
    '438 439 5qi fgf 2q8p 2q9l 2qcv',
  k: '8o bc bd im pm qi rb t6 u2 wq wr ws wt wu wv ww wx xv xw 3rp 3xi 4id 5qj 5tw 6gd 8rt 8ru 8t0 wk7 2q8q 2q9m 2qcw',
  l:
    '8h 8x 8y ba be cg fx h5 h7 h9 hx in pf pl qh sm xs y7 118 11i 12k 136 15h 15r 3cy 3l4 3xa 42y 42z 43a 43b 43c ' +
    '43d 43e 43f 50n 50o 71v 7bo 8rk 8rl 8rm 8uo 8up 9ph fh6 wkh wl2 xwu 1fdn 1fer 2q8r 2q9n 2qcx',
  m:
    'hd i5 po sa sb t8 u4 y5 y6 2cx 2lk 2nd 2nl 2tv 3bx 3s0 3w7 4c0 4e3 4en 4f6 4ie 4qb 53p 53r 5ql ' +
    '5tb 5ty 6g5 7kf 8t4 iji wkf 1f3k 1f69 2q8s 2q9o 2qcy',
  n:
    '96 97 bh bi f4 fp he hf hg pp qf qo t4 t7 tb u0 u3 u7 uz wa wb zt 11k 11o 12c 12q 12w 130 15g ' +
    '15j 2rl 2s7 2sg 2vq 3mo 3mp 3mq 3mr 3ms 3mt 3mu 3ot 40e 4qf 502 50i 50l 5qm 5qq 5rc 5rv 5tc 5tz ' +
    '6g6 6qx 8t6 g68 g74 wkg 2q8t 2q9p 2qcz',
  o:
    '4k 60 6o 6w bj hh ig pk pr py qn qr rd ta tg u6 vm vn vu vv yw yx 11a 11v 11x 12m 139 15t 19h 1j4 1uu 1ye 21y ' +
    '25i 274 292 2cm 2e8 2g6 2jq 2lc 2na 2tr 2ts 2xc 36l 37k 3ps 3z8 4q8 50y 526 53k 5qn 5qp 6tx 6ty 6u5 6zg 6zo 6zp ' +
    '710 711 7gq 7gr 7hr 7rh 7s4 88g 88h 88i 88j 88k 88l 88m 88n 88o 88p 88q 88r 88s 88t 88u 88v 88w 88x 88y 88z 8ta ' +
    '8tb 8xt 8yc 9hj 9nx 9vj vua wkz 1f2q 1f3f 1fd0 1fe4 1fia 1fje 2q8u 2q9q 2qd0',
  p:
    'bo bp cf dz pt qp qu tc u8 we wf 134 138 15z 3qg 3xe 418 419 41a 41i 41j 41k 41l 5qw 5rd 5tp 6gh ' +
    '6jb 704 8rn 8te i7s wk1 xwy 1f2t 2q8v 2q9r 2qd1',
  q: 'ga gb 10a 10b 12b 12e 1dl 417 8yd 2q8w 2q9s 2qd2',
  r:
    'bq gc gd ho hq hs ht tr tv un wh 11s 240 3qi 3vl 3wy 493 4hd 50s 5qx 5qy 5ra 5te 5u1 6ji 6jj 8ro ' +
    'i7u wkj xv5 xwi 1fhw 2q8x 2q9t 2qd3',
  s:
    'fz hu sl ut 11r 13a 1hq 2dx 2lb 3x1 3x6 45x 45y 469 46a 46b 46c 5u2 vyx wki x0x xwq 1f2u ' +
    '1fds 1few 2q8y 2q9u 2qd4',
  t:
    '9y 9z bv bw bx by fq hz i0 pw qs ry te ua x8 x9 111 12d 12f 226 3s5 3th 3vm 3ze 5qz 6cg 6uc 6ud ' +
    '72f 72h 7vd 8ti 9lw 9my 9oy fep fet fez wk4 xv6 1f2v 1f3l 1f6d 2q8z 2q9v 2qd5 2rfs',
  u:
    'c1 c2 g4 i1 i2 i3 qt ti ue 10x 11g 11p 12s 131 23u 2s9 2si 3k1 40c 40n 40o 413 4dq 4e8 504 509 ' +
    '50p 5r0 5tq 5uh 6qy 6v7 g6t wis wl0 wl1 1fim 2q90 2q9w 2qd6',
  v: 'ql vo vp 15k 15u 19j 1dj 2ge 2rr 3k0 3x5 3zj 3zu 3zv 4ch 4qc 5r4 8xk wkm 2q91 2q9x 2qd7',
  w:
    'bg hb qx tk tl ug uh v4 v5 vz 10c 10d 129 2e2 2lj 2sd 2ss 2vz 3kw 3w3 3x0 4bz 4e2 4em 4f5 505 ' +
    '5r5 6g9 705 8s2 8s3 i9d wkq xvn 2q92 2q9y 2qd8',
  x:
    '5z pz qv t2 th ud xe xf zg zh zi 15c 3cf 3lk 475 48t 4fh 4fi 4hj 5u5 7eb 7rg 84r 84s 8bz 8c0 8to ' +
    '8yl 9pk fgi w58 wkr x4j 1f2o 1f3o 1f6f 1f6q 2q93 2q9z 2qd9 2rhk 2rhl 2rhm 2rhn 2rho',
  y:
    '4l c3 c4 ge gf gz i6 i7 px qb ro tf tj ub xa xb xc xd 11q 15x 3c7 3k3 3vt 3wd 5u4 6kk 8tk 9p6 ' +
    'wks 1f3m 2q94 2qa0 2qda',
  z: 'c5 c6 f8 f9 g0 i8 i9 pi 3re 3wj 4ee 5r6 5u6 7j5 8rv 8rw fh5 wkc xw3 2q95 2qa1 2qdb',
}

/** ASCII look-alike, in lower case, by code point. */
export const CONFUSABLES: ReadonlyMap<number, string> = new Map(
  Object.entries(LOOK_ALIKES).flatMap(([ascii, codes]) =>
    codes.split(' ').map((code) => [Number.parseInt(code, 36), ascii] as const),
  ),
)
