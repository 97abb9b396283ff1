/* Runs a program on a console of its own, as `console PROGRAM ARGUMENT...`. Every byte of standard
   input presses Ctrl+C on that console, and the end of the input ends the program. Exits with its
   exit code. Under Wine without a display there is no other console; Wine 8 knows no Ctrl+Break. */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

static PROCESS_INFORMATION child;

static DWORD WINAPI obey(LPVOID unused) {
    /* Asked for now: a process that attaches to a console gets other standard handles. */
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    char asked;
    DWORD length;
    (void)unused;
    while (ReadFile(input, &asked, 1, &length, NULL) && length == 1) {
        FreeConsole();
        if (!AttachConsole(child.dwProcessId) || !GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0))
            fprintf(stderr, "console: no event: error %lu\n", GetLastError());
    }
    TerminateProcess(child.hProcess, 99);
    return 0;
}

/* The events are for the program only. */
static BOOL WINAPI ignore(DWORD event) {
    (void)event;
    return TRUE;
}

int wmain(int count, wchar_t **arguments) {
    STARTUPINFOW start = {.cb = sizeof(start), .dwFlags = STARTF_USESTDHANDLES};
    /* What follows the program's own name, as it was written. */
    wchar_t *line = GetCommandLineW();
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};
    /* Nothing outlives this process, however it ends. */
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    HANDLE job = CreateJobObjectW(NULL, NULL);
    DWORD code;
    if (count < 2) return 98;
    line = line[0] == L'"' ? wcschr(line + 1, L'"') + 1 : line + wcscspn(line, L" ");
    line += wcsspn(line, L" ");
    start.hStdInput = CreateFileW(L"NUL", GENERIC_READ, 0, &inherited, OPEN_EXISTING, 0, NULL);
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    SetHandleInformation(start.hStdOutput, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    SetHandleInformation(start.hStdError, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    SetConsoleCtrlHandler(ignore, TRUE);
    if (!CreateProcessW(arguments[1], line, NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, NULL, &start, &child)) {
        fprintf(stderr, "console: not started: error %lu\n", GetLastError());
        return 98;
    }
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits));
    AssignProcessToJobObject(job, child.hProcess);
    CreateThread(NULL, 0, obey, NULL, 0, NULL);
    WaitForSingleObject(child.hProcess, INFINITE);
    return GetExitCodeProcess(child.hProcess, &code) ? (int)code : 98;
}
