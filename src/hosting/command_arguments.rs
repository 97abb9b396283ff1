//! `kestrel run -- COMMAND ARGUMENTS` and `--watch`, as settings of the section `AspNetCore`. Pure.

use std::path::{Path, PathBuf};

use super::settings::quoted_arguments;
use crate::configuration::sources::command_line::shown_argument;
use crate::configuration::{ConfigurationSource, Leaf, Origin, Problem};

/// What the arguments say of the program to run.
#[derive(Debug, Default)]
pub(super) struct CommandArguments {
    leaves: Vec<Leaf>,
}

impl CommandArguments {
    /// Of a command, each of its words with its place, and the place of `--watch`.
    pub(super) fn of(command: &[(usize, String)], watch: Option<usize>) -> Self {
        let mut leaves = Vec::new();
        let mut say = |name: &str, value: &str, (position, argument): (usize, String)| {
            let origin = Origin::CommandLine { position, argument };
            leaves.push(Leaf::new(format!("AspNetCore:{name}"), value, origin));
        };
        let place = |(position, text): &(usize, String)| (*position, shown_argument(text));
        if let Some((program, arguments)) = command.split_first() {
            say("ProcessPath", &program.1, place(program));
            // As one text, also if there is none: of a list, what a file has would stay.
            let text = quoted_arguments(arguments.iter().map(|(_, text)| text.as_str()));
            say("Arguments", &text, place(arguments.first().unwrap_or(program)));
            // Who writes a command wants it to run.
            say("Enabled", "true", place(program));
        }
        if let Some(position) = watch {
            say("Watch", "true", (position, "--watch".to_owned()));
        }
        Self { leaves }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }
}

impl ConfigurationSource for CommandArguments {
    fn name(&self) -> String {
        "the command behind --".to_owned()
    }

    fn read(&self, _: &Path) -> Result<Vec<Leaf>, Vec<Problem>> {
        Ok(self.leaves.clone())
    }

    fn files(&self, _: &Path) -> Vec<PathBuf> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_a_program_and_its_arguments() {
        let numbered = |words: &[&str]| -> Vec<_> {
            words.iter().enumerate().map(|(at, word)| (at + 3, (*word).to_owned())).collect()
        };
        for (words, watch, expected) in [
            (&[][..], None, &[][..]),
            (
                &["node"],
                None,
                &[
                    ("AspNetCore:ProcessPath", "node", 3),
                    ("AspNetCore:Arguments", "", 3),
                    ("AspNetCore:Enabled", "true", 3),
                ],
            ),
            (
                &["python3", "a b.py", "--urls", "{url}"],
                Some(1),
                &[
                    ("AspNetCore:ProcessPath", "python3", 3),
                    ("AspNetCore:Arguments", r#""a b.py" "--urls" "{url}""#, 4),
                    ("AspNetCore:Enabled", "true", 3),
                    ("AspNetCore:Watch", "true", 1),
                ],
            ),
        ] {
            let read = CommandArguments::of(&numbered(words), watch);
            assert_eq!(read.is_empty(), expected.is_empty());
            let leaves: Vec<_> = read
                .leaves
                .iter()
                .map(|leaf| {
                    let Origin::CommandLine { position, .. } = leaf.origin else {
                        panic!("{leaf:?}")
                    };
                    (leaf.key.as_str(), leaf.value.as_deref().unwrap_or_default(), position)
                })
                .collect();
            assert_eq!(leaves, expected, "{words:?}");
        }
    }
}
