/* What Wine 8 lacks of bcryptprimitives.dll: the random numbers that Rust's standard library asks
   for. Built by x86_64-w64-mingw32-gcc -shared, and put beside the program. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
    return RtlGenRandom(data, (ULONG)length);
}
