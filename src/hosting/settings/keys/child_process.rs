//! The rows of a program that runs behind the host.

use super::row::{
    Key, Kind, Others, Part, Range, any, boolean, names, of_dotnet, text, text_or_list, words,
};

pub(super) const ASPNETCORE: Key = names(
    "AspNetCore",
    Others::Nothing,
    NAMES,
    "a program that runs behind the host and answers its requests",
)
.at_once();

const NAMES: &[Key] = &[
    boolean("Enabled", "true", "run what the section names"),
    text(
        "ProcessPath",
        Kind::Text,
        "the program: a file in the content root, a whole path, or a name that is looked for in `PATH`",
    )
    .also_called(&[(
        Part::Whole,
        &["command", "cmd", "exec", "executable", "executablePath", "program", "script"],
    )]),
    text_or_list(
        "Arguments",
        Kind::Text,
        "what it is given: a list, or one text that is taken apart as a shell does; `{port}`, `{socket}` and \
         `{url}` stand for what it is to listen on",
    )
    .also_called(&[(Part::Whole, &["args", "argv", "parameters"])]),
    text("WorkingDirectory", Kind::Path, "the folder that it starts in")
        .default_in_words("the content root")
        .also_called(&[(Part::Whole, &["cwd", "workDir", "dir", "root"])]),
    any(
        "EnvironmentVariables",
        "LANG",
        &VARIABLE,
        "variables that it is given, over those that it inherits",
    )
    .also_called(&[(Part::Whole, &["env", "environment", "variables"])]),
    boolean(
        "ClearEnvironment",
        "false",
        "it inherits no variables but `PATH`, `HOME`, `LANG`, `LC_ALL`, `TMPDIR` and `TZ`",
    ),
    text(
        "Listen",
        Kind::Text,
        "what it listens on: `port`, one of 127.0.0.1 that is free; the number of one; or `socket`, a Unix socket",
    )
    .default_in_words("`socket`, if an argument or a variable names `{socket}`; else `port`")
    .also_called(&[(Part::Whole, &["port", "bind", "address"])]),
    words("HttpVersion", &["1.1", "2"], "what it is spoken to in").default("1.1"),
    text("Health", Kind::Text, "a path that it answers with less than 400 once it is ready")
        .default_in_words("it is ready once it accepts connections")
        .also_called(&[(Part::Whole, &["healthCheck", "readiness", "probe"])]),
    text("StartupTimeLimit", Kind::Seconds(0, 3600), "how long it may take until it is ready")
        .default("120"),
    text(
        "ShutdownTimeLimit",
        Kind::Seconds(0, 600),
        "how long it may take to end once it was asked to; then it is killed",
    )
    .default("10")
    .also_called(&[(Part::Whole, &["stopTimeout", "killTimeout", "gracePeriod"])]),
    text(
        "RapidFailsPerMinute",
        Kind::Number("times", Range::Between(0, 100)),
        "how often it may end by itself within a minute; once more, and it is left alone until the minute is over",
    )
    .default("10")
    .also_called(&[(Part::Whole, &["maxRestarts", "restarts"])]),
    text(
        "RequestTimeout",
        Kind::Seconds(0, 1_296_000),
        "how long nothing may happen on the way to it and back",
    )
    .default("00:02:00")
    .also_called(&[(Part::Whole, &["timeout"])]),
    text(
        "RequestQueueLimit",
        Kind::Number("requests", Range::From(0)),
        "how many wait at most for a process that starts; more are answered with 503",
    )
    .default("1000"),
    text(
        "ProcessesPerApplication",
        Kind::Number("processes", Range::Between(1, 100)),
        "how many of it run at once, each of which gets a request in its turn",
    )
    .default("1")
    .also_called(&[(Part::Whole, &["instances", "workers", "processes", "replicas"])]),
    boolean("StdoutLogEnabled", "false", "write its output to a file, too"),
    text(
        "StdoutLogFile",
        Kind::Path,
        "that file; the moment of the start and the number of this process stand behind its name",
    )
    .default("aspnetcore-stdout"),
    text_or_list(
        "Watch",
        Kind::Path,
        "files and folders whose changes put a new process in its place; `true` for what is run: the program, or \
         the script that an interpreter is given",
    )
    .default_in_words("nothing"),
    RECYCLE,
    text("User", Kind::Text, "as whom it runs, by name or number; only root can have that")
        .default_in_words("as this process")
        .also_called(&[(Part::Whole, &["uid", "runAs"])]),
    text("Group", Kind::Text, "its group, by name or number")
        .default_in_words("that of `User`")
        .also_called(&[(Part::Whole, &["gid"])]),
    text("Umask", Kind::Text, "which rights files that it makes do not have, in octal digits")
        .default_in_words("as of this process"),
    LIMITS,
    words("HostingModel", &["OutOfProcess"], "`InProcess` is told, and runs out of process, too")
        .default("OutOfProcess"),
    words("ForwardWindowsAuthToken", &["false"], "`true` is refused: there is no such token")
        .default("false"),
    of_dotnet("DisableStartUpErrorPage"),
];

static VARIABLE: Key = text("{Variable}", Kind::Text, "the value of a variable");

const RECYCLE: Key = names(
    "Recycle",
    Others::Nothing,
    &[
        text("Time", Kind::Seconds(1, u64::MAX), "so long after its start")
            .default_in_words("never"),
        text("Memory", Kind::Size, "once it has so much memory").default_in_words("never"),
        text("Requests", Kind::Number("requests", Range::From(1)), "after so many")
            .default_in_words("never"),
    ],
    "when a new process takes its place although nothing changed",
)
.also_called(&[(Part::Whole, &["recycling"])]);

const LIMITS: Key = names("Limits", Others::Nothing, LIMITED, "what it may use of the machine");
const LIMITED: &[Key] = &[
    text("OpenFiles", Kind::Number("descriptors", Range::From(1)), "files and connections")
        .default_in_words(AS_THIS_PROCESS)
        .also_called(&[(Part::Whole, &["nofile"])]),
    text("Memory", Kind::Size, "its address space").default_in_words(AS_THIS_PROCESS),
    text(
        "Processes",
        Kind::Number("processes", Range::From(1)),
        "processes and threads that its user may have",
    )
    .default_in_words(AS_THIS_PROCESS)
    .also_called(&[(Part::Whole, &["nproc"])]),
    text("CoreSize", Kind::Size, "what is written when it crashes")
        .default_in_words(AS_THIS_PROCESS)
        .also_called(&[(Part::Whole, &["core"])]),
];
const AS_THIS_PROCESS: &str = "as of this process";
