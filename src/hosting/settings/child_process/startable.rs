//! What of the section is written well and can never start.

use std::path::Path;

use super::arguments::OF_SHELLS;
use super::program::{folders, is_name, may_be_run};
use super::section::PROGRAM;
use crate::addresses::unix_socket::may_become_others;
use crate::apps::child_process::options::ChildOptions;
use crate::configuration::near_names::did_you_mean;
use crate::configuration::{
    Configuration, Loaded, Origin, Problem, address_without_user_info, path_without_user_info,
};

/// Everything that keeps the program from starting.
pub(in crate::hosting::settings) fn cannot_start(
    loaded: &Loaded,
    options: &ChildOptions,
) -> Vec<Problem> {
    let program = program(loaded, options);
    let folder = folder(loaded, &options.working_directory);
    let all = [program, folder, other_user(loaded, options), open_files(loaded, options)];
    all.into_iter().flatten().collect()
}

/// Whether it is written as for a shell.
fn needs_shell(text: &str, options: &ChildOptions) -> bool {
    let is_of_shell = |it: &String| OF_SHELLS.contains(&it.as_str());
    ["cd", "export", "source", ".", "exec"].contains(&text)
        || text.contains('=')
        || options.arguments.iter().any(is_of_shell)
}

fn program(loaded: &Loaded, options: &ChildOptions) -> Option<Problem> {
    let file = &*options.program;
    let text = loaded.configuration.value(PROGRAM).unwrap_or_default().trim();
    let name = address_without_user_info(text);
    let path = path_without_user_info(file);
    let problem = if file.is_file() {
        if may_be_run(file) {
            return None;
        }
        Problem::error(format!("The program {path} may not be run by anybody."))
            .cause("Nobody has the right to execute its file.")
            .fix(format!(
                "let it be run: chmod +x {path}; or name the program that runs it, such as python3"
            ))
    } else if file.is_dir() {
        Problem::error(format!("The program {path} is a folder.")).fix("name the file in it")
    } else {
        let near = near(loaded, text, file);
        let root = path_without_user_info(&loaded.content_root.value);
        let (cause, fix) = match is_name(text) {
            true => (
                format!("It is neither in the content root, {root}, nor in a folder of PATH."),
                "install it, or write the whole path of its file",
            ),
            false => (format!("There is no file {path}."), "write the path of its file"),
        };
        let fix = match near {
            Some(near) => format!("did you mean {near}?"),
            None if text.contains(' ') => {
                "the blank stands between two words: leave out the quotes around them; in a section, put all but the first into Arguments"
                    .to_owned()
            }
            None if needs_shell(text, options) => {
                "it takes a shell: kestrel run -- sh -c 'cd /srv && exec python3 app.py --port {port}'; a folder is WorkingDirectory, variables are EnvironmentVariables".to_owned()
            }
            None if text.starts_with('-') => {
                "settings stand before the two dashes; leave -- out if no program is meant"
                    .to_owned()
            }
            None => fix.to_owned(),
        };
        Problem::error(format!("There is no program '{name}'.")).cause(cause).fix(fix)
    };
    Some(placed(&loaded.configuration, PROGRAM, problem))
}

/// The name in the folder of the file, or in those of `PATH`, that was probably meant.
fn near(loaded: &Loaded, text: &str, file: &Path) -> Option<String> {
    let wanted = Path::new(text).file_name()?.to_str()?;
    let by_name = is_name(text);
    let folders = match by_name {
        true => {
            let mut all = folders(loaded);
            all.push(loaded.content_root.value.clone());
            all
        }
        false => vec![file.parent()?.to_owned()],
    };
    let entries = folders.iter().filter_map(|it| std::fs::read_dir(it).ok()).flatten().flatten();
    let names = entries.filter_map(|it| {
        let name = it.file_name().into_string().ok()?;
        (it.path().is_file() && may_be_run(&it.path())).then_some(name)
    });
    // Most folders of programs have more than a thousand: those that begin otherwise are not compared.
    let first = wanted.chars().next()?;
    let mut names: Vec<_> = names.filter(|it| it.starts_with(first)).collect();
    names.sort();
    let near = did_you_mean(wanted, names.iter().map(String::as_str))?;
    Some(match by_name {
        true => near.to_owned(),
        false => Path::new(text).with_file_name(near).display().to_string(),
    })
}

fn folder(loaded: &Loaded, folder: &Path) -> Option<Problem> {
    const KEY: &str = "AspNetCore:WorkingDirectory";
    // Of a content root that is not there, it is told already.
    loaded.configuration.non_empty(KEY)?;
    let shown = path_without_user_info(folder);
    let problem = match folder.metadata() {
        Ok(it) if it.is_dir() => return None,
        Ok(_) => Problem::error(format!("The working directory {shown} is no folder."))
            .fix("name the folder that the program starts in"),
        Err(_) => Problem::error(format!("The working directory {shown} is not there."))
            .fix("create it, or name another one; a relative one counts from the content root"),
    };
    Some(placed(&loaded.configuration, KEY, problem))
}

fn other_user(loaded: &Loaded, options: &ChildOptions) -> Option<Problem> {
    options.run_as.as_ref().filter(|_| !may_become_others())?;
    let problem = Problem::error("Only root can run a program as another user.")
        .cause("This process is not root.")
        .fix("start it as root; or as that user, and remove User and Group");
    Some(placed(&loaded.configuration, "AspNetCore:User", problem))
}

/// More open files than the system lets a process of this user ask for.
fn open_files(loaded: &Loaded, options: &ChildOptions) -> Option<Problem> {
    const KEY: &str = "AspNetCore:Limits:OpenFiles";
    let wanted = options.limits.open_files?;
    let stays_root = options.run_as.as_ref().map_or_else(may_become_others, |it| it.user == 0);
    let most = most_open_files(stays_root).filter(|most| *most < wanted)?;
    let problem = Problem::error(format!(
        "{wanted} open files are more than the {most} that the system gives the program at most."
    ));
    let fix = match stays_root {
        true => format!("write {most} or less, or raise fs.nr_open"),
        false => format!(
            "write {most} or less, or raise the limit of this service: LimitNOFILE of systemd, or ulimit -Hn in the shell that starts it"
        ),
    };
    Some(placed(&loaded.configuration, KEY, problem.fix(fix)))
}

/// How many files a process may ask to have open; `None` if there is no such limit.
#[cfg(all(feature = "child-process", unix))]
fn most_open_files(is_root: bool) -> Option<u64> {
    if is_root {
        // Only Linux has it.
        return std::fs::read_to_string("/proc/sys/fs/nr_open").ok()?.trim().parse().ok();
    }
    rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum
}

/// A build without programs refuses the section in any case.
#[cfg(not(all(feature = "child-process", unix)))]
const fn most_open_files(_: bool) -> Option<u64> {
    None
}

fn placed(configuration: &Configuration, key: &str, problem: Problem) -> Problem {
    let setting = configuration.setting(key);
    let origin = setting.map_or(Origin::Default, |it| it.origin.clone());
    problem.key(setting.map_or(key, |it| it.key.as_str())).origin(origin)
}
