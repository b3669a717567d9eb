0000000000304690 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E>:
  304690:	push   %rbp
  304691:	push   %r15
  304693:	push   %r14
  304695:	push   %r13
  304697:	push   %r12
  304699:	push   %rbx
  30469a:	push   %rax
  30469b:	mov    %rsi,%rax
  30469e:	mov    0x40(%rsp),%rsi
  3046a3:	cmp    0x60(%rdi),%rsi
  3046a7:	jb     3059c2 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x1332>
  3046ad:	mov    0x50(%rsp),%r10
  3046b2:	test   %rdx,%rdx
  3046b5:	je     30470b <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x7b>
  3046b7:	shl    $0x4,%rdx
  3046bb:	add    %rax,%rdx
  3046be:	xchg   %ax,%ax
  3046c0:	mov    (%rax),%r11
  3046c3:	mov    0x8(%rax),%rbx
  3046c7:	mov    %r11d,%r14d
  3046ca:	shl    $0x6,%r14
  3046ce:	vmovdqa64 (%r9,%r14,1),%zmm0
  3046d5:	shr    $0x1a,%r11
  3046d9:	and    $0xffffffffffffffc0,%r11
  3046dd:	vmovdqa64 (%r9,%r11,1),%zmm1
  3046e4:	mov    %ebx,%r11d
  3046e7:	shl    $0x6,%r11
  3046eb:	vpternlogq $0xe2,(%r9,%r11,1),%zmm0,%zmm1
  3046f3:	shr    $0x1a,%rbx
  3046f7:	and    $0xffffffffffffffc0,%rbx
  3046fb:	vmovdqa64 %zmm1,(%r9,%rbx,1)
  304702:	add    $0x10,%rax
  304706:	cmp    %rdx,%rax
  304709:	jne    3046c0 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x30>
  30470b:	cmp    %r8,%r10
  30470e:	cmovb  %r10,%r8
  304712:	test   %r8,%r8
  304715:	je     3058fd <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x126d>
  30471b:	mov    0x48(%rsp),%r10
  304720:	mov    0x20(%rdi),%rdx
  304724:	mov    0x28(%rdi),%rax
  304728:	mov    %rax,(%rsp)
  30472c:	vmovdqa64 -0x2cc6b6(%rip),%zmm0        # 38080 <anon.8db6d46f65dd9930a18e6803ef87fddf.40.llvm.13454682425634502457+0x11ea>
  304736:	shl    $0x9,%r8
  30473a:	add    $0x1c0,%r10
  304741:	xor    %ebx,%ebx
  304743:	vpbroadcastq -0x2e5f15(%rip),%zmm1        # 1e838 <anon.8cfd337265c9220af44ae8ceeeaebdf8.96.llvm.7845904420538271120+0x40>
  30474d:	vpxor  %xmm2,%xmm2,%xmm2
  304751:	jmp    3049b8 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x328>
  304756:	mov    (%rdx,%r15,4),%eax
  30475a:	shl    $0x6,%rax
  30475e:	vmovdqa64 (%r9,%rax,1),%zmm3
  304765:	mov    0x4(%rdx,%r15,4),%rax
  30476a:	mov    %eax,%edi
  30476c:	shl    $0x6,%rdi
  304770:	vmovdqa64 (%r9,%rdi,1),%zmm4
  304777:	mov    0xc(%rdx,%r15,4),%rdi
  30477c:	mov    %edi,%r11d
  30477f:	shl    $0x6,%r11
  304783:	vmovdqa64 (%r9,%r11,1),%zmm6
  30478a:	mov    0x1c(%rdx,%r15,4),%r11
  30478f:	mov    %r11d,%r14d
  304792:	shl    $0x6,%r14
  304796:	shr    $0x1a,%r11
  30479a:	and    $0xffffffffffffffc0,%r11
  30479e:	vmovdqa64 (%r9,%r11,1),%zmm7
  3047a5:	vpternlogq $0xe2,(%r9,%r14,1),%zmm6,%zmm7
  3047ad:	shr    $0x1a,%rdi
  3047b1:	and    $0xffffffffffffffc0,%rdi
  3047b5:	vmovdqa64 (%r9,%rdi,1),%zmm5
  3047bc:	mov    0x24(%rdx,%r15,4),%rdi
  3047c1:	mov    %edi,%r11d
  3047c4:	shl    $0x6,%r11
  3047c8:	shr    $0x1a,%rdi
  3047cc:	and    $0xffffffffffffffc0,%rdi
  3047d0:	vmovdqa64 (%r9,%rdi,1),%zmm8
  3047d7:	vpternlogq $0xe2,(%r9,%r11,1),%zmm5,%zmm8
  3047df:	vpternlogq $0xe2,%zmm6,%zmm4,%zmm5
  3047e6:	vpternlogq $0xe2,%zmm7,%zmm4,%zmm8
  3047ed:	shr    $0x1a,%rax
  3047f1:	and    $0xffffffffffffffc0,%rax
  3047f5:	vmovdqa64 (%r9,%rax,1),%zmm6
  3047fc:	mov    0x14(%rdx,%r15,4),%rax
  304801:	mov    %eax,%edi
  304803:	shl    $0x6,%rdi
  304807:	vmovdqa64 (%r9,%rdi,1),%zmm7
  30480e:	mov    0x2c(%rdx,%r15,4),%rdi
  304813:	mov    %edi,%r11d
  304816:	shl    $0x6,%r11
  30481a:	shr    $0x1a,%rdi
  30481e:	and    $0xffffffffffffffc0,%rdi
  304822:	vmovdqa64 (%r9,%rdi,1),%zmm9
  304829:	vpternlogq $0xe2,(%r9,%r11,1),%zmm7,%zmm9
  304831:	shr    $0x1a,%rax
  304835:	and    $0xffffffffffffffc0,%rax
  304839:	vmovdqa64 (%r9,%rax,1),%zmm10
  304840:	mov    0x34(%rdx,%r15,4),%rax
  304845:	mov    %eax,%edi
  304847:	shl    $0x6,%rdi
  30484b:	shr    $0x1a,%rax
  30484f:	and    $0xffffffffffffffc0,%rax
  304853:	vmovdqa64 (%r9,%rax,1),%zmm11
  30485a:	vpternlogq $0xe2,(%r9,%rdi,1),%zmm10,%zmm11
  304862:	vpternlogq $0xe2,%zmm7,%zmm6,%zmm10
  304869:	vpternlogq $0xe2,%zmm9,%zmm6,%zmm11
  304870:	vpternlogq $0xe2,%zmm4,%zmm3,%zmm6
  304877:	vpternlogq $0xe2,%zmm5,%zmm3,%zmm10
  30487e:	vpternlogq $0xe2,%zmm8,%zmm3,%zmm11
  304885:	vpunpcklqdq %zmm10,%zmm11,%zmm4
  30488b:	vpunpckhqdq %zmm10,%zmm11,%zmm5
  304891:	vpunpcklqdq %zmm3,%zmm6,%zmm7
  304897:	vpunpckhqdq %zmm3,%zmm6,%zmm3
  30489d:	vshufi64x2 $0x88,%zmm7,%zmm4,%zmm6
  3048a4:	vshufi64x2 $0xdd,%zmm7,%zmm4,%zmm4
  3048ab:	vshufi64x2 $0xa8,%zmm2,%zmm6,%zmm7
  3048b2:	vshufi64x2 $0xa8,%zmm2,%zmm4,%zmm8
  3048b9:	vshufi64x2 $0xdd,%zmm2,%zmm6,%zmm6
  3048c0:	vshufi64x2 $0xdd,%zmm2,%zmm4,%zmm4
  3048c7:	vshufi64x2 $0x88,%zmm3,%zmm5,%zmm9
  3048ce:	vshufi64x2 $0xdd,%zmm3,%zmm5,%zmm3
  3048d5:	vshufi64x2 $0xa8,%zmm2,%zmm9,%zmm5
  3048dc:	vshufi64x2 $0xa8,%zmm2,%zmm3,%zmm10
  3048e3:	vshufi64x2 $0xdd,%zmm2,%zmm9,%zmm9
  3048ea:	vpermb %zmm7,%zmm0,%zmm7
  3048f0:	vgf2p8affineqb $0x0,%zmm7,%zmm1,%zmm7
  3048f7:	vmovdqa64 %zmm7,-0x1c0(%r10,%rbx,1)
  3048ff:	vpermb %zmm5,%zmm0,%zmm5
  304905:	vgf2p8affineqb $0x0,%zmm5,%zmm1,%zmm5
  30490c:	vmovdqa64 %zmm5,-0x180(%r10,%rbx,1)
  304914:	vpermb %zmm8,%zmm0,%zmm5
  30491a:	vgf2p8affineqb $0x0,%zmm5,%zmm1,%zmm5
  304921:	vmovdqa64 %zmm5,-0x140(%r10,%rbx,1)
  304929:	vpermb %zmm10,%zmm0,%zmm5
  30492f:	vgf2p8affineqb $0x0,%zmm5,%zmm1,%zmm5
  304936:	vmovdqa64 %zmm5,-0x100(%r10,%rbx,1)
  30493e:	vpermb %zmm6,%zmm0,%zmm5
  304944:	vgf2p8affineqb $0x0,%zmm5,%zmm1,%zmm5
  30494b:	vmovdqa64 %zmm5,-0xc0(%r10,%rbx,1)
  304953:	vpermb %zmm9,%zmm0,%zmm5
  304959:	vgf2p8affineqb $0x0,%zmm5,%zmm1,%zmm5
  304960:	vmovdqa64 %zmm5,-0x80(%r10,%rbx,1)
  304968:	vpermb %zmm4,%zmm0,%zmm4
  30496e:	vgf2p8affineqb $0x0,%zmm4,%zmm1,%zmm4
  304975:	vmovdqa64 %zmm4,-0x40(%r10,%rbx,1)
  30497d:	vshufi64x2 $0xdd,%zmm2,%zmm3,%zmm3
  304984:	data16 data16 cs nopw 0x0(%rax,%rax,1)
  304990:	vpermb %zmm3,%zmm0,%zmm3
  304996:	vgf2p8affineqb $0x0,%zmm3,%zmm1,%zmm3
  30499d:	vmovdqa64 %zmm3,(%r10,%rbx,1)
  3049a4:	add    $0x200,%rbx
  3049ab:	add    $0x24,%rcx
  3049af:	cmp    %rbx,%r8
  3049b2:	je     3058fd <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x126d>
  3049b8:	cmpb   $0x0,(%rcx)
  3049bb:	je     304bc0 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x530>
  3049c1:	mov    0x20(%rcx),%r11d
  3049c5:	cmp    %r11,%rsi
  3049c8:	jbe    305a62 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x13d2>
  3049ce:	mov    0x1c(%rcx),%eax
  3049d1:	cmp    %rax,%rsi
  3049d4:	jbe    3059db <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x134b>
  3049da:	mov    0x18(%rcx),%r15d
  3049de:	cmp    %r15,%rsi
  3049e1:	jbe    305a33 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x13a3>
  3049e7:	mov    0x14(%rcx),%r12d
  3049eb:	cmp    %r12,%rsi
  3049ee:	jbe    3059f1 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x1361>
  3049f4:	mov    0x10(%rcx),%r13d
  3049f8:	cmp    %r13,%rsi
  3049fb:	jbe    305a49 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x13b9>
  304a01:	mov    0xc(%rcx),%ebp
  304a04:	cmp    %rbp,%rsi
  304a07:	jbe    305a07 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x1377>
  304a0d:	mov    0x8(%rcx),%edi
  304a10:	cmp    %rdi,%rsi
  304a13:	jbe    305a5f <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x13cf>
  304a19:	mov    0x4(%rcx),%r14d
  304a1d:	cmp    %r14,%rsi
  304a20:	jbe    305a1d <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x138d>
  304a26:	shl    $0x6,%r11
  304a2a:	vmovdqa64 (%r9,%r11,1),%zmm3
  304a31:	shl    $0x6,%rax
  304a35:	vmovdqa64 (%r9,%rax,1),%zmm4
  304a3c:	shl    $0x6,%r15
  304a40:	vmovdqa64 (%r9,%r15,1),%zmm5
  304a47:	shl    $0x6,%r12
  304a4b:	vmovdqa64 (%r9,%r12,1),%zmm6
  304a52:	shl    $0x6,%r13
  304a56:	vmovdqa64 (%r9,%r13,1),%zmm7
  304a5d:	shl    $0x6,%rbp
  304a61:	vmovdqa64 (%r9,%rbp,1),%zmm8
  304a68:	shl    $0x6,%rdi
  304a6c:	vmovdqa64 (%r9,%rdi,1),%zmm9
  304a73:	shl    $0x6,%r14
  304a77:	vmovdqa64 (%r9,%r14,1),%zmm10
  304a7e:	vpunpcklqdq %zmm9,%zmm10,%zmm11
  304a84:	vpunpckhqdq %zmm9,%zmm10,%zmm9
  304a8a:	vpunpcklqdq %zmm7,%zmm8,%zmm10
  304a90:	vpunpckhqdq %zmm7,%zmm8,%zmm7
  304a96:	vpunpcklqdq %zmm5,%zmm6,%zmm8
  304a9c:	vpunpckhqdq %zmm5,%zmm6,%zmm5
  304aa2:	vpunpcklqdq %zmm3,%zmm4,%zmm6
  304aa8:	vpunpckhqdq %zmm3,%zmm4,%zmm3
  304aae:	vshufi64x2 $0x88,%zmm10,%zmm11,%zmm4
  304ab5:	vshufi64x2 $0xdd,%zmm10,%zmm11,%zmm10
  304abc:	vshufi64x2 $0x88,%zmm6,%zmm8,%zmm11
  304ac3:	vshufi64x2 $0xdd,%zmm6,%zmm8,%zmm6
  304aca:	vshufi64x2 $0x88,%zmm11,%zmm4,%zmm8
  304ad1:	vshufi64x2 $0x88,%zmm6,%zmm10,%zmm12
  304ad8:	vshufi64x2 $0xdd,%zmm11,%zmm4,%zmm4
  304adf:	vshufi64x2 $0xdd,%zmm6,%zmm10,%zmm6
  304ae6:	vshufi64x2 $0x88,%zmm7,%zmm9,%zmm10
  304aed:	vshufi64x2 $0xdd,%zmm7,%zmm9,%zmm7
  304af4:	vshufi64x2 $0x88,%zmm3,%zmm5,%zmm9
  304afb:	vshufi64x2 $0xdd,%zmm3,%zmm5,%zmm3
  304b02:	vshufi64x2 $0x88,%zmm9,%zmm10,%zmm5
  304b09:	vshufi64x2 $0x88,%zmm3,%zmm7,%zmm11
  304b10:	vshufi64x2 $0xdd,%zmm9,%zmm10,%zmm9
  304b17:	vpermb %zmm8,%zmm0,%zmm8
  304b1d:	vgf2p8affineqb $0x0,%zmm8,%zmm1,%zmm8
  304b24:	vmovdqa64 %zmm8,-0x1c0(%r10,%rbx,1)
  304b2c:	vpermb %zmm5,%zmm0,%zmm5
  304b32:	vgf2p8affineqb $0x0,%zmm5,%zmm1,%zmm5
  304b39:	vmovdqa64 %zmm5,-0x180(%r10,%rbx,1)
  304b41:	vpermb %zmm12,%zmm0,%zmm5
  304b47:	vgf2p8affineqb $0x0,%zmm5,%zmm1,%zmm5
  304b4e:	vmovdqa64 %zmm5,-0x140(%r10,%rbx,1)
  304b56:	vpermb %zmm11,%zmm0,%zmm5
  304b5c:	vgf2p8affineqb $0x0,%zmm5,%zmm1,%zmm5
  304b63:	vmovdqa64 %zmm5,-0x100(%r10,%rbx,1)
  304b6b:	vpermb %zmm4,%zmm0,%zmm4
  304b71:	vgf2p8affineqb $0x0,%zmm4,%zmm1,%zmm4
  304b78:	vmovdqa64 %zmm4,-0xc0(%r10,%rbx,1)
  304b80:	vpermb %zmm9,%zmm0,%zmm4
  304b86:	vgf2p8affineqb $0x0,%zmm4,%zmm1,%zmm4
  304b8d:	vmovdqa64 %zmm4,-0x80(%r10,%rbx,1)
  304b95:	vpermb %zmm6,%zmm0,%zmm4
  304b9b:	vgf2p8affineqb $0x0,%zmm4,%zmm1,%zmm4
  304ba2:	vmovdqa64 %zmm4,-0x40(%r10,%rbx,1)
  304baa:	vshufi64x2 $0xdd,%zmm3,%zmm7,%zmm3
  304bb1:	jmp    304990 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x300>
  304bb6:	cs nopw 0x0(%rax,%rax,1)
  304bc0:	movzbl 0x1(%rcx),%eax
  304bc4:	mov    0x4(%rcx),%r15d
  304bc8:	lea    -0x1(%r15),%rdi
  304bcc:	dec    %eax
  304bce:	cmp    $0x4,%eax
  304bd1:	ja     305235 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0xba5>
  304bd7:	lea    -0x2cd4de(%rip),%r11        # 37700 <anon.8db6d46f65dd9930a18e6803ef87fddf.40.llvm.13454682425634502457+0x86a>
  304bde:	movslq (%r11,%rax,4),%rax
  304be2:	add    %r11,%rax
  304be5:	jmp    *%rax
  304be7:	mov    (%rsp),%rax
  304beb:	sub    %rdi,%rax
  304bee:	jb     30590f <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x127f>
  304bf4:	cmp    $0x1,%rax
  304bf8:	jbe    30595a <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x12ca>
  304bfe:	mov    (%rdx,%r15,4),%eax
  304c02:	shl    $0x6,%rax
  304c06:	vmovdqa64 (%r9,%rax,1),%zmm3
  304c0d:	vpunpcklqdq %zmm2,%zmm3,%zmm4
  304c13:	vpsrldq $0x8,%zmm3,%zmm3
  304c1a:	vextracti128 $0x1,%ymm4,%xmm5
  304c20:	vmovdqa %xmm4,%xmm6
  304c24:	vextracti32x4 $0x2,%zmm4,%xmm7
  304c2b:	vextracti32x4 $0x3,%zmm4,%xmm4
  304c32:	vextractf128 $0x1,%ymm3,%xmm8
  304c38:	vmovapd %xmm3,%xmm9
  304c3c:	vextractf32x4 $0x2,%zmm3,%xmm10
  304c43:	vpermb %zmm6,%zmm0,%zmm6
  304c49:	vgf2p8affineqb $0x0,%zmm6,%zmm1,%zmm6
  304c50:	vmovdqa64 %zmm6,-0x1c0(%r10,%rbx,1)
  304c58:	vpermb %zmm9,%zmm0,%zmm6
  304c5e:	vgf2p8affineqb $0x0,%zmm6,%zmm1,%zmm6
  304c65:	vmovdqa64 %zmm6,-0x180(%r10,%rbx,1)
  304c6d:	vpermb %zmm5,%zmm0,%zmm5
  304c73:	vgf2p8affineqb $0x0,%zmm5,%zmm1,%zmm5
  304c7a:	vmovdqa64 %zmm5,-0x140(%r10,%rbx,1)
  304c82:	vpermb %zmm8,%zmm0,%zmm5
  304c88:	vgf2p8affineqb $0x0,%zmm5,%zmm1,%zmm5
  304c8f:	vmovdqa64 %zmm5,-0x100(%r10,%rbx,1)
  304c97:	vpermb %zmm7,%zmm0,%zmm5
  304c9d:	vgf2p8affineqb $0x0,%zmm5,%zmm1,%zmm5
  304ca4:	vmovdqa64 %zmm5,-0xc0(%r10,%rbx,1)
  304cac:	vpermb %zmm10,%zmm0,%zmm5
  304cb2:	vgf2p8affineqb $0x0,%zmm5,%zmm1,%zmm5
  304cb9:	vmovdqa64 %zmm5,-0x80(%r10,%rbx,1)
  304cc1:	vpermb %zmm4,%zmm0,%zmm4
  304cc7:	jmp    30521a <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0xb8a>
  304ccc:	mov    (%rsp),%rax
  304cd0:	sub    %rdi,%rax
  304cd3:	jb     30590f <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x127f>
  304cd9:	cmp    $0x1f,%rax
  304cdd:	jbe    30598e <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x12fe>
  304ce3:	mov    (%rdx,%r15,4),%eax
  304ce7:	shl    $0x6,%rax
  304ceb:	vmovdqa64 (%r9,%rax,1),%zmm3
  304cf2:	mov    0x4(%rdx,%r15,4),%rax
  304cf7:	mov    %eax,%edi
  304cf9:	shl    $0x6,%rdi
  304cfd:	vmovdqa64 (%r9,%rdi,1),%zmm4
  304d04:	mov    0xc(%rdx,%r15,4),%rdi
  304d09:	mov    %edi,%r11d
  304d0c:	shl    $0x6,%r11
  304d10:	vmovdqa64 (%r9,%r11,1),%zmm8
  304d17:	mov    0x1c(%rdx,%r15,4),%r11
  304d1c:	mov    %r11d,%r14d
  304d1f:	shl    $0x6,%r14
  304d23:	vmovdqa64 (%r9,%r14,1),%zmm5
  304d2a:	mov    0x3c(%rdx,%r15,4),%r14
  304d2f:	mov    %r14d,%r12d
  304d32:	shl    $0x6,%r12
  304d36:	shr    $0x1a,%r14
  304d3a:	and    $0xffffffffffffffc0,%r14
  304d3e:	vmovdqa64 (%r9,%r14,1),%zmm6
  304d45:	vpternlogq $0xe2,(%r9,%r12,1),%zmm5,%zmm6
  304d4d:	shr    $0x1a,%r11
  304d51:	and    $0xffffffffffffffc0,%r11
  304d55:	vmovdqa64 (%r9,%r11,1),%zmm9
  304d5c:	mov    0x44(%rdx,%r15,4),%r11
  304d61:	mov    %r11d,%r14d
  304d64:	shl    $0x6,%r14
  304d68:	shr    $0x1a,%r11
  304d6c:	and    $0xffffffffffffffc0,%r11
  304d70:	vmovdqa64 (%r9,%r11,1),%zmm10
  304d77:	vpternlogq $0xe2,(%r9,%r14,1),%zmm9,%zmm10
  304d7f:	vpternlogq $0xe2,%zmm5,%zmm8,%zmm9
  304d86:	vpternlogq $0xe2,%zmm6,%zmm8,%zmm10
  304d8d:	shr    $0x1a,%rdi
  304d91:	and    $0xffffffffffffffc0,%rdi
  304d95:	vmovdqa64 (%r9,%rdi,1),%zmm5
  304d9c:	mov    0x24(%rdx,%r15,4),%rdi
  304da1:	mov    %edi,%r11d
  304da4:	shl    $0x6,%r11
  304da8:	vmovdqa64 (%r9,%r11,1),%zmm11
  304daf:	mov    0x4c(%rdx,%r15,4),%r11
  304db4:	mov    %r11d,%r14d
  304db7:	shl    $0x6,%r14
  304dbb:	shr    $0x1a,%r11
  304dbf:	and    $0xffffffffffffffc0,%r11
  304dc3:	vmovdqa64 (%r9,%r11,1),%zmm12
  304dca:	vpternlogq $0xe2,(%r9,%r14,1),%zmm11,%zmm12
  304dd2:	shr    $0x1a,%rdi
  304dd6:	and    $0xffffffffffffffc0,%rdi
  304dda:	vmovdqa64 (%r9,%rdi,1),%zmm6
  304de1:	mov    0x54(%rdx,%r15,4),%rdi
  304de6:	mov    %edi,%r11d
  304de9:	shl    $0x6,%r11
  304ded:	shr    $0x1a,%rdi
  304df1:	and    $0xffffffffffffffc0,%rdi
  304df5:	vmovdqa64 (%r9,%rdi,1),%zmm7
  304dfc:	vpternlogq $0xe2,(%r9,%r11,1),%zmm6,%zmm7
  304e04:	vpternlogq $0xe2,%zmm11,%zmm5,%zmm6
  304e0b:	vpternlogq $0xe2,%zmm12,%zmm5,%zmm7
  304e12:	vpternlogq $0xe2,%zmm8,%zmm4,%zmm5
  304e19:	vpternlogq $0xe2,%zmm9,%zmm4,%zmm6
  304e20:	vpternlogq $0xe2,%zmm10,%zmm4,%zmm7
  304e27:	shr    $0x1a,%rax
  304e2b:	and    $0xffffffffffffffc0,%rax
  304e2f:	vmovdqa64 (%r9,%rax,1),%zmm8
  304e36:	mov    0x14(%rdx,%r15,4),%rax
  304e3b:	mov    %eax,%edi
  304e3d:	mov    0x2c(%rdx,%r15,4),%r11
  304e42:	mov    %r11d,%r14d
  304e45:	shl    $0x6,%r14
  304e49:	vmovdqa64 (%r9,%r14,1),%zmm10
  304e50:	mov    0x5c(%rdx,%r15,4),%r14
  304e55:	mov    %r14d,%r12d
  304e58:	shl    $0x6,%r12
  304e5c:	shr    $0x1a,%r14
  304e60:	and    $0xffffffffffffffc0,%r14
  304e64:	vmovdqa64 (%r9,%r14,1),%zmm11
  304e6b:	vpternlogq $0xe2,(%r9,%r12,1),%zmm10,%zmm11
  304e73:	shl    $0x6,%rdi
  304e77:	shr    $0x1a,%r11
  304e7b:	and    $0xffffffffffffffc0,%r11
  304e7f:	vmovdqa64 (%r9,%r11,1),%zmm9
  304e86:	mov    0x64(%rdx,%r15,4),%r11
  304e8b:	mov    %r11d,%r14d
  304e8e:	shl    $0x6,%r14
  304e92:	shr    $0x1a,%r11
  304e96:	and    $0xffffffffffffffc0,%r11
  304e9a:	vmovdqa64 (%r9,%r11,1),%zmm12
  304ea1:	vpternlogq $0xe2,(%r9,%r14,1),%zmm9,%zmm12
  304ea9:	vmovdqa64 (%r9,%rdi,1),%zmm13
  304eb0:	vpternlogq $0xe2,%zmm10,%zmm13,%zmm9
  304eb7:	vpternlogq $0xe2,%zmm11,%zmm13,%zmm12
  304ebe:	shr    $0x1a,%rax
  304ec2:	mov    0x34(%rdx,%r15,4),%rdi
  304ec7:	mov    %edi,%r11d
  304eca:	shl    $0x6,%r11
  304ece:	vmovdqa64 (%r9,%r11,1),%zmm10
  304ed5:	mov    0x6c(%rdx,%r15,4),%r11
  304eda:	mov    %r11d,%r14d
  304edd:	shl    $0x6,%r14
  304ee1:	shr    $0x1a,%r11
  304ee5:	and    $0xffffffffffffffc0,%r11
  304ee9:	vmovdqa64 (%r9,%r11,1),%zmm11
  304ef0:	vpternlogq $0xe2,(%r9,%r14,1),%zmm10,%zmm11
  304ef8:	and    $0xffffffffffffffc0,%rax
  304efc:	shr    $0x1a,%rdi
  304f00:	and    $0xffffffffffffffc0,%rdi
  304f04:	vmovdqa64 (%r9,%rdi,1),%zmm14
  304f0b:	mov    0x74(%rdx,%r15,4),%rdi
  304f10:	mov    %edi,%r11d
  304f13:	shl    $0x6,%r11
  304f17:	shr    $0x1a,%rdi
  304f1b:	and    $0xffffffffffffffc0,%rdi
  304f1f:	vmovdqa64 (%r9,%rdi,1),%zmm15
  304f26:	vpternlogq $0xe2,(%r9,%r11,1),%zmm14,%zmm15
  304f2e:	vmovdqa64 (%r9,%rax,1),%zmm16
  304f35:	vpternlogq $0xe2,%zmm10,%zmm16,%zmm14
  304f3c:	vpternlogq $0xe2,%zmm11,%zmm16,%zmm15
  304f43:	vpternlogq $0xe2,%zmm13,%zmm8,%zmm16
  304f4a:	vpternlogq $0xe2,%zmm9,%zmm8,%zmm14
  304f51:	vpternlogq $0xe2,%zmm12,%zmm8,%zmm15
  304f58:	vpternlogq $0xe2,%zmm4,%zmm3,%zmm8
  304f5f:	vpternlogq $0xe2,%zmm5,%zmm3,%zmm16
  304f66:	vpternlogq $0xe2,%zmm6,%zmm3,%zmm14
  304f6d:	vpternlogq $0xe2,%zmm7,%zmm3,%zmm15
  304f74:	vpunpcklqdq %zmm14,%zmm15,%zmm4
  304f7a:	vpunpckhqdq %zmm14,%zmm15,%zmm5
  304f80:	vpunpcklqdq %zmm8,%zmm16,%zmm6
  304f86:	vpunpckhqdq %zmm8,%zmm16,%zmm7
  304f8c:	vpunpcklqdq %zmm2,%zmm3,%zmm8
  304f92:	vpsrldq $0x8,%zmm3,%zmm3
  304f99:	jmp    3057f5 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x1165>
  304f9e:	mov    (%rsp),%rax
  304fa2:	sub    %rdi,%rax
  304fa5:	jb     30590f <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x127f>
  304fab:	cmp    $0x7,%rax
  304faf:	jbe    3059a8 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x1318>
  304fb5:	mov    (%rdx,%r15,4),%eax
  304fb9:	shl    $0x6,%rax
  304fbd:	vmovdqa64 (%r9,%rax,1),%zmm3
  304fc4:	mov    0x4(%rdx,%r15,4),%rax
  304fc9:	mov    %eax,%edi
  304fcb:	shl    $0x6,%rdi
  304fcf:	vmovdqa64 (%r9,%rdi,1),%zmm4
  304fd6:	mov    0xc(%rdx,%r15,4),%rdi
  304fdb:	mov    %edi,%r11d
  304fde:	shl    $0x6,%r11
  304fe2:	shr    $0x1a,%rdi
  304fe6:	and    $0xffffffffffffffc0,%rdi
  304fea:	vmovdqa64 (%r9,%rdi,1),%zmm5
  304ff1:	vpternlogq $0xe2,(%r9,%r11,1),%zmm4,%zmm5
  304ff9:	shr    $0x1a,%rax
  304ffd:	and    $0xffffffffffffffc0,%rax
  305001:	vmovdqa64 (%r9,%rax,1),%zmm6
  305008:	mov    0x14(%rdx,%r15,4),%rax
  30500d:	mov    %eax,%edi
  30500f:	shl    $0x6,%rdi
  305013:	shr    $0x1a,%rax
  305017:	and    $0xffffffffffffffc0,%rax
  30501b:	vmovdqa64 (%r9,%rax,1),%zmm7
  305022:	vpternlogq $0xe2,(%r9,%rdi,1),%zmm6,%zmm7
  30502a:	vpternlogq $0xe2,%zmm4,%zmm3,%zmm6
  305031:	vpternlogq $0xe2,%zmm5,%zmm3,%zmm7
  305038:	vpunpcklqdq %zmm6,%zmm7,%zmm4
  30503e:	vpunpckhqdq %zmm6,%zmm7,%zmm5
  305044:	vpunpcklqdq %zmm2,%zmm3,%zmm6
  30504a:	vpsrldq $0x8,%zmm3,%zmm3
  305051:	vshufi64x2 $0x88,%zmm6,%zmm4,%zmm7
  305058:	vshufi64x2 $0xdd,%zmm6,%zmm4,%zmm4
  30505f:	vshufi64x2 $0xa8,%zmm2,%zmm7,%zmm6
  305066:	vshufi64x2 $0xa8,%zmm2,%zmm4,%zmm8
  30506d:	vshufi64x2 $0xdd,%zmm2,%zmm7,%zmm7
  305074:	vshufi64x2 $0xdd,%zmm2,%zmm4,%zmm4
  30507b:	vshufi64x2 $0x88,%zmm3,%zmm5,%zmm9
  305082:	vshufi64x2 $0xdd,%zmm3,%zmm5,%zmm3
  305089:	vshufi64x2 $0xa8,%zmm2,%zmm9,%zmm5
  305090:	vshufi64x2 $0xa8,%zmm2,%zmm3,%zmm10
  305097:	vshufi64x2 $0xdd,%zmm2,%zmm9,%zmm9
  30509e:	vpermb %zmm6,%zmm0,%zmm6
  3050a4:	vgf2p8affineqb $0x0,%zmm6,%zmm1,%zmm6
  3050ab:	vmovdqa64 %zmm6,-0x1c0(%r10,%rbx,1)
  3050b3:	vpermb %zmm5,%zmm0,%zmm5
  3050b9:	vgf2p8affineqb $0x0,%zmm5,%zmm1,%zmm5
  3050c0:	vmovdqa64 %zmm5,-0x180(%r10,%rbx,1)
  3050c8:	vpermb %zmm8,%zmm0,%zmm5
  3050ce:	vgf2p8affineqb $0x0,%zmm5,%zmm1,%zmm5
  3050d5:	vmovdqa64 %zmm5,-0x140(%r10,%rbx,1)
  3050dd:	vpermb %zmm10,%zmm0,%zmm5
  3050e3:	vgf2p8affineqb $0x0,%zmm5,%zmm1,%zmm5
  3050ea:	vmovdqa64 %zmm5,-0x100(%r10,%rbx,1)
  3050f2:	vpermb %zmm7,%zmm0,%zmm5
  3050f8:	jmp    304944 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x2b4>
  3050fd:	mov    (%rsp),%rax
  305101:	sub    %rdi,%rax
  305104:	jb     30590f <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x127f>
  30510a:	cmp    $0xf,%rax
  30510e:	ja     304756 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0xc6>
  305114:	jmp    305974 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x12e4>
  305119:	mov    (%rsp),%rax
  30511d:	sub    %rdi,%rax
  305120:	jb     30590f <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x127f>
  305126:	cmp    $0x3,%rax
  30512a:	jbe    305940 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x12b0>
  305130:	mov    (%rdx,%r15,4),%eax
  305134:	shl    $0x6,%rax
  305138:	vmovdqa64 (%r9,%rax,1),%zmm3
  30513f:	mov    0x4(%rdx,%r15,4),%rax
  305144:	mov    %eax,%edi
  305146:	shl    $0x6,%rdi
  30514a:	shr    $0x1a,%rax
  30514e:	and    $0xffffffffffffffc0,%rax
  305152:	vmovdqa64 (%r9,%rax,1),%zmm4
  305159:	vpternlogq $0xe2,(%r9,%rdi,1),%zmm3,%zmm4
  305161:	vpunpcklqdq %zmm3,%zmm4,%zmm5
  305167:	vpunpckhqdq %zmm3,%zmm4,%zmm3
  30516d:	vextracti128 $0x1,%ymm5,%xmm4
  305173:	vmovdqa %xmm5,%xmm6
  305177:	vextracti32x4 $0x2,%zmm5,%xmm7
  30517e:	vextracti32x4 $0x3,%zmm5,%xmm5
  305185:	vextracti128 $0x1,%ymm3,%xmm8
  30518b:	vmovdqa %xmm3,%xmm9
  30518f:	vextracti32x4 $0x2,%zmm3,%xmm10
  305196:	vpermb %zmm6,%zmm0,%zmm6
  30519c:	vgf2p8affineqb $0x0,%zmm6,%zmm1,%zmm6
  3051a3:	vmovdqa64 %zmm6,-0x1c0(%r10,%rbx,1)
  3051ab:	vpermb %zmm9,%zmm0,%zmm6
  3051b1:	vgf2p8affineqb $0x0,%zmm6,%zmm1,%zmm6
  3051b8:	vmovdqa64 %zmm6,-0x180(%r10,%rbx,1)
  3051c0:	vpermb %zmm4,%zmm0,%zmm4
  3051c6:	vgf2p8affineqb $0x0,%zmm4,%zmm1,%zmm4
  3051cd:	vmovdqa64 %zmm4,-0x140(%r10,%rbx,1)
  3051d5:	vpermb %zmm8,%zmm0,%zmm4
  3051db:	vgf2p8affineqb $0x0,%zmm4,%zmm1,%zmm4
  3051e2:	vmovdqa64 %zmm4,-0x100(%r10,%rbx,1)
  3051ea:	vpermb %zmm7,%zmm0,%zmm4
  3051f0:	vgf2p8affineqb $0x0,%zmm4,%zmm1,%zmm4
  3051f7:	vmovdqa64 %zmm4,-0xc0(%r10,%rbx,1)
  3051ff:	vpermb %zmm10,%zmm0,%zmm4
  305205:	vgf2p8affineqb $0x0,%zmm4,%zmm1,%zmm4
  30520c:	vmovdqa64 %zmm4,-0x80(%r10,%rbx,1)
  305214:	vpermb %zmm5,%zmm0,%zmm4
  30521a:	vgf2p8affineqb $0x0,%zmm4,%zmm1,%zmm4
  305221:	vmovdqa64 %zmm4,-0x40(%r10,%rbx,1)
  305229:	vextractf32x4 $0x3,%zmm3,%xmm3
  305230:	jmp    304990 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x300>
  305235:	mov    (%rsp),%rax
  305239:	sub    %rdi,%rax
  30523c:	jb     30590f <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x127f>
  305242:	cmp    $0x3f,%rax
  305246:	jbe    305926 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x1296>
  30524c:	mov    (%rdx,%r15,4),%eax
  305250:	shl    $0x6,%rax
  305254:	vmovdqa64 (%r9,%rax,1),%zmm3
  30525b:	mov    0x4(%rdx,%r15,4),%rax
  305260:	mov    %eax,%edi
  305262:	shl    $0x6,%rdi
  305266:	vmovdqa64 (%r9,%rdi,1),%zmm4
  30526d:	mov    0xc(%rdx,%r15,4),%rdi
  305272:	mov    %edi,%r11d
  305275:	shl    $0x6,%r11
  305279:	vmovdqa64 (%r9,%r11,1),%zmm9
  305280:	mov    0x1c(%rdx,%r15,4),%r12
  305285:	mov    %r12d,%r11d
  305288:	shl    $0x6,%r11
  30528c:	vmovdqa64 (%r9,%r11,1),%zmm5
  305293:	mov    0x3c(%rdx,%r15,4),%r11
  305298:	mov    %r11d,%r14d
  30529b:	shl    $0x6,%r14
  30529f:	vmovdqa64 (%r9,%r14,1),%zmm7
  3052a6:	mov    0x7c(%rdx,%r15,4),%r14
  3052ab:	mov    %r14d,%r13d
  3052ae:	shl    $0x6,%r13
  3052b2:	shr    $0x1a,%r14
  3052b6:	and    $0xffffffffffffffc0,%r14
  3052ba:	vmovdqa64 (%r9,%r14,1),%zmm8
  3052c1:	vpternlogq $0xe2,(%r9,%r13,1),%zmm7,%zmm8
  3052c9:	shr    $0x1a,%r11
  3052cd:	and    $0xffffffffffffffc0,%r11
  3052d1:	vmovdqa64 (%r9,%r11,1),%zmm6
  3052d8:	mov    0x84(%rdx,%r15,4),%r11
  3052e0:	mov    %r11d,%r14d
  3052e3:	shl    $0x6,%r14
  3052e7:	shr    $0x1a,%r11
  3052eb:	and    $0xffffffffffffffc0,%r11
  3052ef:	vmovdqa64 (%r9,%r11,1),%zmm13
  3052f6:	vpternlogq $0xe2,(%r9,%r14,1),%zmm6,%zmm13
  3052fe:	vpternlogq $0xe2,%zmm7,%zmm5,%zmm6
  305305:	vpternlogq $0xe2,%zmm8,%zmm5,%zmm13
  30530c:	shr    $0x1a,%r12
  305310:	and    $0xffffffffffffffc0,%r12
  305314:	vmovdqa64 (%r9,%r12,1),%zmm10
  30531b:	mov    0x44(%rdx,%r15,4),%r11
  305320:	mov    %r11d,%r14d
  305323:	shl    $0x6,%r14
  305327:	vmovdqa64 (%r9,%r14,1),%zmm7
  30532e:	mov    0x8c(%rdx,%r15,4),%r14
  305336:	mov    %r14d,%r12d
  305339:	shl    $0x6,%r12
  30533d:	shr    $0x1a,%r14
  305341:	and    $0xffffffffffffffc0,%r14
  305345:	vmovdqa64 (%r9,%r14,1),%zmm8
  30534c:	vpternlogq $0xe2,(%r9,%r12,1),%zmm7,%zmm8
  305354:	shr    $0x1a,%r11
  305358:	and    $0xffffffffffffffc0,%r11
  30535c:	vmovdqa64 (%r9,%r11,1),%zmm11
  305363:	mov    0x94(%rdx,%r15,4),%r11
  30536b:	mov    %r11d,%r14d
  30536e:	shl    $0x6,%r14
  305372:	shr    $0x1a,%r11
  305376:	and    $0xffffffffffffffc0,%r11
  30537a:	vmovdqa64 (%r9,%r11,1),%zmm12
  305381:	vpternlogq $0xe2,(%r9,%r14,1),%zmm11,%zmm12
  305389:	vpternlogq $0xe2,%zmm7,%zmm10,%zmm11
  305390:	vpternlogq $0xe2,%zmm8,%zmm10,%zmm12
  305397:	vpternlogq $0xe2,%zmm5,%zmm9,%zmm10
  30539e:	vpternlogq $0xe2,%zmm6,%zmm9,%zmm11
  3053a5:	vpternlogq $0xe2,%zmm13,%zmm9,%zmm12
  3053ac:	shr    $0x1a,%rdi
  3053b0:	and    $0xffffffffffffffc0,%rdi
  3053b4:	vmovdqa64 (%r9,%rdi,1),%zmm5
  3053bb:	mov    0x24(%rdx,%r15,4),%rdi
  3053c0:	mov    %edi,%r11d
  3053c3:	shl    $0x6,%r11
  3053c7:	vmovdqa64 (%r9,%r11,1),%zmm13
  3053ce:	mov    0x4c(%rdx,%r15,4),%r11
  3053d3:	mov    %r11d,%r14d
  3053d6:	shl    $0x6,%r14
  3053da:	vmovdqa64 (%r9,%r14,1),%zmm6
  3053e1:	mov    0x9c(%rdx,%r15,4),%r14
  3053e9:	mov    %r14d,%r12d
  3053ec:	shl    $0x6,%r12
  3053f0:	shr    $0x1a,%r14
  3053f4:	and    $0xffffffffffffffc0,%r14
  3053f8:	vmovdqa64 (%r9,%r14,1),%zmm7
  3053ff:	vpternlogq $0xe2,(%r9,%r12,1),%zmm6,%zmm7
  305407:	shr    $0x1a,%r11
  30540b:	and    $0xffffffffffffffc0,%r11
  30540f:	vmovdqa64 (%r9,%r11,1),%zmm14
  305416:	mov    0xa4(%rdx,%r15,4),%r11
  30541e:	mov    %r11d,%r14d
  305421:	shl    $0x6,%r14
  305425:	shr    $0x1a,%r11
  305429:	and    $0xffffffffffffffc0,%r11
  30542d:	vmovdqa64 (%r9,%r11,1),%zmm15
  305434:	vpternlogq $0xe2,(%r9,%r14,1),%zmm14,%zmm15
  30543c:	vpternlogq $0xe2,%zmm6,%zmm13,%zmm14
  305443:	vpternlogq $0xe2,%zmm7,%zmm13,%zmm15
  30544a:	shr    $0x1a,%rdi
  30544e:	and    $0xffffffffffffffc0,%rdi
  305452:	vmovdqa64 (%r9,%rdi,1),%zmm6
  305459:	mov    0x54(%rdx,%r15,4),%rdi
  30545e:	mov    %edi,%r11d
  305461:	shl    $0x6,%r11
  305465:	vmovdqa64 (%r9,%r11,1),%zmm16
  30546c:	mov    0xac(%rdx,%r15,4),%r11
  305474:	mov    %r11d,%r14d
  305477:	shl    $0x6,%r14
  30547b:	shr    $0x1a,%r11
  30547f:	and    $0xffffffffffffffc0,%r11
  305483:	vmovdqa64 (%r9,%r11,1),%zmm17
  30548a:	vpternlogq $0xe2,(%r9,%r14,1),%zmm16,%zmm17
  305492:	shr    $0x1a,%rdi
  305496:	and    $0xffffffffffffffc0,%rdi
  30549a:	vmovdqa64 (%r9,%rdi,1),%zmm7
  3054a1:	mov    0xb4(%rdx,%r15,4),%rdi
  3054a9:	mov    %edi,%r11d
  3054ac:	shl    $0x6,%r11
  3054b0:	shr    $0x1a,%rdi
  3054b4:	and    $0xffffffffffffffc0,%rdi
  3054b8:	vmovdqa64 (%r9,%rdi,1),%zmm8
  3054bf:	vpternlogq $0xe2,(%r9,%r11,1),%zmm7,%zmm8
  3054c7:	vpternlogq $0xe2,%zmm16,%zmm6,%zmm7
  3054ce:	vpternlogq $0xe2,%zmm17,%zmm6,%zmm8
  3054d5:	vpternlogq $0xe2,%zmm13,%zmm5,%zmm6
  3054dc:	vpternlogq $0xe2,%zmm14,%zmm5,%zmm7
  3054e3:	vpternlogq $0xe2,%zmm15,%zmm5,%zmm8
  3054ea:	vpternlogq $0xe2,%zmm9,%zmm4,%zmm5
  3054f1:	vpternlogq $0xe2,%zmm10,%zmm4,%zmm6
  3054f8:	vpternlogq $0xe2,%zmm11,%zmm4,%zmm7
  3054ff:	vpternlogq $0xe2,%zmm12,%zmm4,%zmm8
  305506:	shr    $0x1a,%rax
  30550a:	and    $0xffffffffffffffc0,%rax
  30550e:	vmovdqa64 (%r9,%rax,1),%zmm9
  305515:	mov    0x14(%rdx,%r15,4),%rax
  30551a:	mov    %eax,%edi
  30551c:	shl    $0x6,%rdi
  305520:	vmovdqa64 (%r9,%rdi,1),%zmm10
  305527:	mov    0x2c(%rdx,%r15,4),%rdi
  30552c:	mov    %edi,%r12d
  30552f:	mov    0x5c(%rdx,%r15,4),%r11
  305534:	mov    %r11d,%r14d
  305537:	shl    $0x6,%r14
  30553b:	vmovdqa64 (%r9,%r14,1),%zmm11
  305542:	mov    0xbc(%rdx,%r15,4),%r14
  30554a:	mov    %r14d,%r13d
  30554d:	shl    $0x6,%r13
  305551:	shr    $0x1a,%r14
  305555:	and    $0xffffffffffffffc0,%r14
  305559:	vmovdqa64 (%r9,%r14,1),%zmm12
  305560:	vpternlogq $0xe2,(%r9,%r13,1),%zmm11,%zmm12
  305568:	shl    $0x6,%r12
  30556c:	shr    $0x1a,%r11
  305570:	and    $0xffffffffffffffc0,%r11
  305574:	vmovdqa64 (%r9,%r11,1),%zmm13
  30557b:	mov    0xc4(%rdx,%r15,4),%r11
  305583:	mov    %r11d,%r14d
  305586:	shl    $0x6,%r14
  30558a:	shr    $0x1a,%r11
  30558e:	and    $0xffffffffffffffc0,%r11
  305592:	vmovdqa64 (%r9,%r11,1),%zmm15
  305599:	vpternlogq $0xe2,(%r9,%r14,1),%zmm13,%zmm15
  3055a1:	vmovdqa64 (%r9,%r12,1),%zmm16
  3055a8:	vpternlogq $0xe2,%zmm11,%zmm16,%zmm13
  3055af:	vpternlogq $0xe2,%zmm12,%zmm16,%zmm15
  3055b6:	shr    $0x1a,%rdi
  3055ba:	mov    0x64(%rdx,%r15,4),%r11
  3055bf:	mov    %r11d,%r14d
  3055c2:	shl    $0x6,%r14
  3055c6:	vmovdqa64 (%r9,%r14,1),%zmm17
  3055cd:	mov    0xcc(%rdx,%r15,4),%r14
  3055d5:	mov    %r14d,%r12d
  3055d8:	shl    $0x6,%r12
  3055dc:	shr    $0x1a,%r14
  3055e0:	and    $0xffffffffffffffc0,%r14
  3055e4:	vmovdqa64 (%r9,%r14,1),%zmm18
  3055eb:	vpternlogq $0xe2,(%r9,%r12,1),%zmm17,%zmm18
  3055f3:	and    $0xffffffffffffffc0,%rdi
  3055f7:	shr    $0x1a,%r11
  3055fb:	and    $0xffffffffffffffc0,%r11
  3055ff:	vmovdqa64 (%r9,%r11,1),%zmm11
  305606:	mov    0xd4(%rdx,%r15,4),%r11
  30560e:	mov    %r11d,%r14d
  305611:	shl    $0x6,%r14
  305615:	shr    $0x1a,%r11
  305619:	and    $0xffffffffffffffc0,%r11
  30561d:	vmovdqa64 (%r9,%r11,1),%zmm12
  305624:	vpternlogq $0xe2,(%r9,%r14,1),%zmm11,%zmm12
  30562c:	vmovdqa64 (%r9,%rdi,1),%zmm14
  305633:	vpternlogq $0xe2,%zmm17,%zmm14,%zmm11
  30563a:	vpternlogq $0xe2,%zmm18,%zmm14,%zmm12
  305641:	vpternlogq $0xe2,%zmm16,%zmm10,%zmm14
  305648:	vpternlogq $0xe2,%zmm13,%zmm10,%zmm11
  30564f:	vpternlogq $0xe2,%zmm15,%zmm10,%zmm12
  305656:	shr    $0x1a,%rax
  30565a:	and    $0xffffffffffffffc0,%rax
  30565e:	vmovdqa64 (%r9,%rax,1),%zmm13
  305665:	mov    0x34(%rdx,%r15,4),%rax
  30566a:	mov    %eax,%edi
  30566c:	shl    $0x6,%rdi
  305670:	mov    0x6c(%rdx,%r15,4),%r11
  305675:	mov    %r11d,%r14d
  305678:	shl    $0x6,%r14
  30567c:	vmovdqa64 (%r9,%r14,1),%zmm17
  305683:	mov    0xdc(%rdx,%r15,4),%r14
  30568b:	mov    %r14d,%r12d
  30568e:	shl    $0x6,%r12
  305692:	shr    $0x1a,%r14
  305696:	and    $0xffffffffffffffc0,%r14
  30569a:	vmovdqa64 (%r9,%r14,1),%zmm18
  3056a1:	vpternlogq $0xe2,(%r9,%r12,1),%zmm17,%zmm18
  3056a9:	vmovdqa64 (%r9,%rdi,1),%zmm15
  3056b0:	shr    $0x1a,%r11
  3056b4:	and    $0xffffffffffffffc0,%r11
  3056b8:	vmovdqa64 (%r9,%r11,1),%zmm16
  3056bf:	mov    0xe4(%rdx,%r15,4),%rdi
  3056c7:	mov    %edi,%r11d
  3056ca:	shl    $0x6,%r11
  3056ce:	shr    $0x1a,%rdi
  3056d2:	and    $0xffffffffffffffc0,%rdi
  3056d6:	vmovdqa64 (%r9,%rdi,1),%zmm19
  3056dd:	vpternlogq $0xe2,(%r9,%r11,1),%zmm16,%zmm19
  3056e5:	vpternlogq $0xe2,%zmm17,%zmm15,%zmm16
  3056ec:	vpternlogq $0xe2,%zmm18,%zmm15,%zmm19
  3056f3:	shr    $0x1a,%rax
  3056f7:	and    $0xffffffffffffffc0,%rax
  3056fb:	mov    0x74(%rdx,%r15,4),%rdi
  305700:	mov    %edi,%r11d
  305703:	shl    $0x6,%r11
  305707:	vmovdqa64 (%r9,%r11,1),%zmm17
  30570e:	mov    0xec(%rdx,%r15,4),%r11
  305716:	mov    %r11d,%r14d
  305719:	shl    $0x6,%r14
  30571d:	shr    $0x1a,%r11
  305721:	and    $0xffffffffffffffc0,%r11
  305725:	vmovdqa64 (%r9,%r11,1),%zmm18
  30572c:	vpternlogq $0xe2,(%r9,%r14,1),%zmm17,%zmm18
  305734:	vmovdqa64 (%r9,%rax,1),%zmm20
  30573b:	shr    $0x1a,%rdi
  30573f:	and    $0xffffffffffffffc0,%rdi
  305743:	vmovdqa64 (%r9,%rdi,1),%zmm21
  30574a:	mov    0xf4(%rdx,%r15,4),%rax
  305752:	mov    %eax,%edi
  305754:	shl    $0x6,%rdi
  305758:	shr    $0x1a,%rax
  30575c:	and    $0xffffffffffffffc0,%rax
  305760:	vmovdqa64 (%r9,%rax,1),%zmm22
  305767:	vpternlogq $0xe2,(%r9,%rdi,1),%zmm21,%zmm22
  30576f:	vpternlogq $0xe2,%zmm17,%zmm20,%zmm21
  305776:	vpternlogq $0xe2,%zmm18,%zmm20,%zmm22
  30577d:	vpternlogq $0xe2,%zmm15,%zmm13,%zmm20
  305784:	vpternlogq $0xe2,%zmm16,%zmm13,%zmm21
  30578b:	vpternlogq $0xe2,%zmm19,%zmm13,%zmm22
  305792:	vpternlogq $0xe2,%zmm10,%zmm9,%zmm13
  305799:	vpternlogq $0xe2,%zmm14,%zmm9,%zmm20
  3057a0:	vpternlogq $0xe2,%zmm11,%zmm9,%zmm21
  3057a7:	vpternlogq $0xe2,%zmm12,%zmm9,%zmm22
  3057ae:	vpternlogq $0xe2,%zmm4,%zmm3,%zmm9
  3057b5:	vpternlogq $0xe2,%zmm5,%zmm3,%zmm13
  3057bc:	vpternlogq $0xe2,%zmm6,%zmm3,%zmm20
  3057c3:	vpternlogq $0xe2,%zmm7,%zmm3,%zmm21
  3057ca:	vpternlogq $0xe2,%zmm8,%zmm3,%zmm22
  3057d1:	vpunpcklqdq %zmm21,%zmm22,%zmm4
  3057d7:	vpunpckhqdq %zmm21,%zmm22,%zmm5
  3057dd:	vpunpcklqdq %zmm13,%zmm20,%zmm6
  3057e3:	vpunpckhqdq %zmm13,%zmm20,%zmm7
  3057e9:	vpunpcklqdq %zmm3,%zmm9,%zmm8
  3057ef:	vpunpckhqdq %zmm3,%zmm9,%zmm3
  3057f5:	vshufi64x2 $0x88,%zmm6,%zmm4,%zmm9
  3057fc:	vshufi64x2 $0xdd,%zmm6,%zmm4,%zmm4
  305803:	vshufi64x2 $0xa8,%zmm2,%zmm8,%zmm6
  30580a:	vshufi64x2 $0xdd,%zmm2,%zmm8,%zmm8
  305811:	vshufi64x2 $0x88,%zmm6,%zmm9,%zmm10
  305818:	vshufi64x2 $0x88,%zmm8,%zmm4,%zmm11
  30581f:	vshufi64x2 $0xdd,%zmm6,%zmm9,%zmm6
  305826:	vshufi64x2 $0xdd,%zmm8,%zmm4,%zmm4
  30582d:	vshufi64x2 $0x88,%zmm7,%zmm5,%zmm8
  305834:	vshufi64x2 $0xdd,%zmm7,%zmm5,%zmm5
  30583b:	vshufi64x2 $0xa8,%zmm2,%zmm3,%zmm7
  305842:	vshufi64x2 $0xdd,%zmm2,%zmm3,%zmm3
  305849:	vshufi64x2 $0x88,%zmm7,%zmm8,%zmm9
  305850:	vshufi64x2 $0x88,%zmm3,%zmm5,%zmm12
  305857:	vshufi64x2 $0xdd,%zmm7,%zmm8,%zmm7
  30585e:	vpermb %zmm10,%zmm0,%zmm8
  305864:	vgf2p8affineqb $0x0,%zmm8,%zmm1,%zmm8
  30586b:	vmovdqa64 %zmm8,-0x1c0(%r10,%rbx,1)
  305873:	vpermb %zmm9,%zmm0,%zmm8
  305879:	vgf2p8affineqb $0x0,%zmm8,%zmm1,%zmm8
  305880:	vmovdqa64 %zmm8,-0x180(%r10,%rbx,1)
  305888:	vpermb %zmm11,%zmm0,%zmm8
  30588e:	vgf2p8affineqb $0x0,%zmm8,%zmm1,%zmm8
  305895:	vmovdqa64 %zmm8,-0x140(%r10,%rbx,1)
  30589d:	vpermb %zmm12,%zmm0,%zmm8
  3058a3:	vgf2p8affineqb $0x0,%zmm8,%zmm1,%zmm8
  3058aa:	vmovdqa64 %zmm8,-0x100(%r10,%rbx,1)
  3058b2:	vpermb %zmm6,%zmm0,%zmm6
  3058b8:	vgf2p8affineqb $0x0,%zmm6,%zmm1,%zmm6
  3058bf:	vmovdqa64 %zmm6,-0xc0(%r10,%rbx,1)
  3058c7:	vpermb %zmm7,%zmm0,%zmm6
  3058cd:	vgf2p8affineqb $0x0,%zmm6,%zmm1,%zmm6
  3058d4:	vmovdqa64 %zmm6,-0x80(%r10,%rbx,1)
  3058dc:	vpermb %zmm4,%zmm0,%zmm4
  3058e2:	vgf2p8affineqb $0x0,%zmm4,%zmm1,%zmm4
  3058e9:	vmovdqa64 %zmm4,-0x40(%r10,%rbx,1)
  3058f1:	vshufi64x2 $0xdd,%zmm3,%zmm5,%zmm3
  3058f8:	jmp    304990 <_ZN14fretsaw_engine6kernel6avx5126routes16codes_transposed17h5507611f8f00fff2E+0x300>
  3058fd:	add    $0x8,%rsp
  305901:	pop    %rbx
  305902:	pop    %r12
  305904:	pop    %r13
  305906:	pop    %r14
  305908:	pop    %r15
  30590a:	pop    %rbp
  30590b:	vzeroupper
  30590e:	ret
  30590f:	lea    0x134a1a(%rip),%rcx        # 43a330 <anon.8db6d46f65dd9930a18e6803ef87fddf.39.llvm.13454682425634502457+0xc10>
  305916:	mov    (%rsp),%rdx
  30591a:	mov    %rdx,%rsi
  30591d:	vzeroupper
  305920:	call   *0x139d7a(%rip)        # 43f6a0 <_DYNAMIC+0x270>
  305926:	lea    0x134a03(%rip),%rcx        # 43a330 <anon.8db6d46f65dd9930a18e6803ef87fddf.39.llvm.13454682425634502457+0xc10>
  30592d:	mov    $0x40,%esi
  305932:	xor    %edi,%edi
  305934:	mov    %rax,%rdx
  305937:	vzeroupper
  30593a:	call   *0x139d60(%rip)        # 43f6a0 <_DYNAMIC+0x270>
  305940:	lea    0x1349e9(%rip),%rcx        # 43a330 <anon.8db6d46f65dd9930a18e6803ef87fddf.39.llvm.13454682425634502457+0xc10>
  305947:	mov    $0x4,%esi
  30594c:	xor    %edi,%edi
  30594e:	mov    %rax,%rdx
  305951:	vzeroupper
  305954:	call   *0x139d46(%rip)        # 43f6a0 <_DYNAMIC+0x270>
  30595a:	lea    0x1349cf(%rip),%rcx        # 43a330 <anon.8db6d46f65dd9930a18e6803ef87fddf.39.llvm.13454682425634502457+0xc10>
  305961:	mov    $0x2,%esi
  305966:	xor    %edi,%edi
  305968:	mov    %rax,%rdx
  30596b:	vzeroupper
  30596e:	call   *0x139d2c(%rip)        # 43f6a0 <_DYNAMIC+0x270>
  305974:	lea    0x1349b5(%rip),%rcx        # 43a330 <anon.8db6d46f65dd9930a18e6803ef87fddf.39.llvm.13454682425634502457+0xc10>
  30597b:	mov    $0x10,%esi
  305980:	xor    %edi,%edi
  305982:	mov    %rax,%rdx
  305985:	vzeroupper
  305988:	call   *0x139d12(%rip)        # 43f6a0 <_DYNAMIC+0x270>
  30598e:	lea    0x13499b(%rip),%rcx        # 43a330 <anon.8db6d46f65dd9930a18e6803ef87fddf.39.llvm.13454682425634502457+0xc10>
  305995:	mov    $0x20,%esi
  30599a:	xor    %edi,%edi
  30599c:	mov    %rax,%rdx
  30599f:	vzeroupper
  3059a2:	call   *0x139cf8(%rip)        # 43f6a0 <_DYNAMIC+0x270>
  3059a8:	lea    0x134981(%rip),%rcx        # 43a330 <anon.8db6d46f65dd9930a18e6803ef87fddf.39.llvm.13454682425634502457+0xc10>
  3059af:	mov    $0x8,%esi
  3059b4:	xor    %edi,%edi
  3059b6:	mov    %rax,%rdx
  3059b9:	vzeroupper
  3059bc:	call   *0x139cde(%rip)        # 43f6a0 <_DYNAMIC+0x270>
  3059c2:	lea    -0x2cd99a(%rip),%rdi        # 3802f <anon.8db6d46f65dd9930a18e6803ef87fddf.40.llvm.13454682425634502457+0x1199>
  3059c9:	lea    0x134960(%rip),%rdx        # 43a330 <anon.8db6d46f65dd9930a18e6803ef87fddf.39.llvm.13454682425634502457+0xc10>
  3059d0:	mov    $0x31,%esi
  3059d5:	call   *0x139d9d(%rip)        # 43f778 <_DYNAMIC+0x348>
  3059db:	mov    %rax,%r11
  3059de:	lea    0x13494b(%rip),%rdx        # 43a330 <anon.8db6d46f65dd9930a18e6803ef87fddf.39.llvm.13454682425634502457+0xc10>
  3059e5:	mov    %r11,%rdi
  3059e8:	vzeroupper
  3059eb:	call   *0x139daf(%rip)        # 43f7a0 <_DYNAMIC+0x370>
  3059f1:	mov    %r12,%r11
  3059f4:	lea    0x134935(%rip),%rdx        # 43a330 <anon.8db6d46f65dd9930a18e6803ef87fddf.39.llvm.13454682425634502457+0xc10>
  3059fb:	mov    %r11,%rdi
  3059fe:	vzeroupper
  305a01:	call   *0x139d99(%rip)        # 43f7a0 <_DYNAMIC+0x370>
  305a07:	mov    %rbp,%r11
  305a0a:	lea    0x13491f(%rip),%rdx        # 43a330 <anon.8db6d46f65dd9930a18e6803ef87fddf.39.llvm.13454682425634502457+0xc10>
  305a11:	mov    %r11,%rdi
  305a14:	vzeroupper
  305a17:	call   *0x139d83(%rip)        # 43f7a0 <_DYNAMIC+0x370>
  305a1d:	mov    %r14,%r11
  305a20:	lea    0x134909(%rip),%rdx        # 43a330 <anon.8db6d46f65dd9930a18e6803ef87fddf.39.llvm.13454682425634502457+0xc10>
  305a27:	mov    %r11,%rdi
  305a2a:	vzeroupper
  305a2d:	call   *0x139d6d(%rip)        # 43f7a0 <_DYNAMIC+0x370>
  305a33:	mov    %r15,%r11
  305a36:	lea    0x1348f3(%rip),%rdx        # 43a330 <anon.8db6d46f65dd9930a18e6803ef87fddf.39.llvm.13454682425634502457+0xc10>
  305a3d:	mov    %r11,%rdi
  305a40:	vzeroupper
  305a43:	call   *0x139d57(%rip)        # 43f7a0 <_DYNAMIC+0x370>
  305a49:	mov    %r13,%r11
  305a4c:	lea    0x1348dd(%rip),%rdx        # 43a330 <anon.8db6d46f65dd9930a18e6803ef87fddf.39.llvm.13454682425634502457+0xc10>
  305a53:	mov    %r11,%rdi
  305a56:	vzeroupper
  305a59:	call   *0x139d41(%rip)        # 43f7a0 <_DYNAMIC+0x370>
  305a5f:	mov    %rdi,%r11
  305a62:	lea    0x1348c7(%rip),%rdx        # 43a330 <anon.8db6d46f65dd9930a18e6803ef87fddf.39.llvm.13454682425634502457+0xc10>
  305a69:	mov    %r11,%rdi
  305a6c:	vzeroupper
  305a6f:	call   *0x139d2b(%rip)        # 43f7a0 <_DYNAMIC+0x370>
  305a75:	int3
  305a76:	int3
  305a77:	int3
  305a78:	int3
  305a79:	int3
  305a7a:	int3
  305a7b:	int3
  305a7c:	int3
  305a7d:	int3
  305a7e:	int3
  305a7f:	int3

