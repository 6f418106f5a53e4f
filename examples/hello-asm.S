/* No C library at all: write(1, ...) and exit(0), 33 bytes of code. Source: syscall(2), x86-64 calling convention. */
        .file "hello-asm.S"
        .globl _start
        .type _start, @function
        .text
_start:
        mov     $1, %eax                /* write */
        mov     $1, %edi
        lea     greeting(%rip), %rsi
        mov     $greeting_bytes, %edx
        syscall
        mov     $60, %eax               /* exit */
        xor     %edi, %edi
        syscall
        .size _start, . - _start

        .section .rodata
greeting:
        .ascii  "Hello from assembly\n"
        .set    greeting_bytes, . - greeting

        .section .note.GNU-stack,"",@progbits
