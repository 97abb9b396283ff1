//! A variable and a command line, one argument per line: reading them never panics, every value
//! knows the argument that set it, and every problem can be printed.
#![no_main]

use kestrel::configuration::{Inputs, Origin, load};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (variable, arguments) = text.split_once('\n').unwrap_or(("", text));
    let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
    let arguments: Vec<_> = arguments
        .split('\n')
        .enumerate()
        .map(|(place, argument)| (place + 1, argument.to_owned()))
        .collect();
    let count = arguments.len();
    let mut inputs = Inputs::default();
    inputs.variables = vec![(name.to_owned(), value.to_owned())];
    inputs.arguments = arguments;
    // A folder that is not there: no file is read.
    inputs.current_directory = "/nonexistent".into();
    let loaded = load(&inputs);
    for setting in loaded.configuration.settings() {
        if let Origin::CommandLine { position, .. } = setting.origin {
            assert!((1..=count).contains(&position), "{setting:?}");
        }
        assert_eq!(loaded.configuration.setting(&setting.key), Some(setting));
    }
    for problem in &loaded.problems {
        assert!(!problem.to_string().is_empty());
    }
});
