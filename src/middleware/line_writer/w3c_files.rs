//! Files of the extended log format, one after the other.
//!
//! A file is called by its day and a number, begins with what its fields are, and is full once a line has
//! taken it past its size. A start never goes on with a file of another: who reads one finds it complete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::date::{Calendar, Moment};
use super::sink::LineSink;
use crate::diagnostics::{Repeated, Telling, events};

/// How many files there can be of a day: their numbers have four digits.
const FILES_OF_A_DAY: u32 = 10_000;

/// Where the files are, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct W3cPlace {
    pub(crate) folder: PathBuf,
    /// What the names of files begin with.
    pub(crate) name: String,
    /// In bytes; `None` is no limit.
    pub(crate) size_limit: Option<u64>,
    /// How many files stay; `None` lets all stay.
    pub(crate) kept: Option<u32>,
}

/// The files, as the thread that writes has them.
pub(crate) struct W3cFiles {
    place: W3cPlace,
    /// The names of the fields, as they stand in the head of a file.
    fields: String,
    clock: fn() -> Moment,
    /// The day of the files, and the number of the next.
    day: [u64; 3],
    number: u32,
    file: Option<Opened>,
    failures: Repeated,
    is_full_told: bool,
}

struct Opened {
    file: File,
    size: u64,
}

impl W3cFiles {
    pub(crate) fn new(place: W3cPlace, fields: String) -> Self {
        Self::by(place, fields, Moment::now)
    }

    fn by(place: W3cPlace, fields: String, clock: fn() -> Moment) -> Self {
        Self {
            place,
            fields,
            clock,
            day: [0; 3],
            number: 0,
            file: None,
            failures: Repeated::default(),
            is_full_told: false,
        }
    }

    /// Writes as many lines as one file takes; what is left of them.
    fn write_some<'a>(&mut self, lines: &'a str) -> io::Result<&'a str> {
        let limit = self.place.size_limit.unwrap_or(u64::MAX);
        if self.file.as_ref().is_some_and(|opened| opened.size > limit) {
            self.file = None;
        }
        let opened = match &mut self.file {
            Some(opened) => opened,
            None => {
                let Some(opened) = self.next()? else { return Ok("") };
                self.file.insert(opened)
            }
        };
        let mut length = 0;
        for line in lines.split_inclusive('\n') {
            length += line.len();
            if opened.size + length as u64 > limit {
                break;
            }
        }
        opened.file.write_all(&lines.as_bytes()[..length])?;
        opened.size += length as u64;
        Ok(&lines[length..])
    }

    /// The next file, with its head; `None` if there can be none any more.
    fn next(&mut self) -> io::Result<Option<Opened>> {
        fs::create_dir_all(&self.place.folder)?;
        let Calendar { year, month, day, hour, minute, second } = (self.clock)().calendar();
        while self.number < FILES_OF_A_DAY {
            let number = self.number;
            self.number += 1;
            let name = format!("{}{year:04}{month:02}{day:02}.{number:04}.txt", self.place.name);
            let path = self.place.folder.join(name);
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    let head = format!(
                        "#Version: 1.0\n\
                         #Start-Date: {year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}\n\
                         #Fields: {}\n",
                        self.fields
                    );
                    file.write_all(head.as_bytes())?;
                    self.remove_old();
                    return Ok(Some(Opened { file, size: head.len() as u64 }));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    self.number = number;
                    return Err(error);
                }
            }
        }
        if !std::mem::replace(&mut self.is_full_told, true) {
            events::w3c_files_of_a_day(FILES_OF_A_DAY);
        }
        Ok(None)
    }

    /// Another day begins with another file.
    fn follow_the_day(&mut self) {
        let Calendar { year, month, day, .. } = (self.clock)().calendar();
        if self.day != [year, month, day] {
            self.day = [year, month, day];
            let number = self.first_number(&format!("{year:04}{month:02}{day:02}"));
            (self.number, self.file, self.is_full_told) = (number, None, false);
        }
    }

    /// The number behind those that files of the day have. A lower one that is free belonged to a file that was
    /// the oldest, and would be removed at once.
    fn first_number(&self, day: &str) -> u32 {
        let begin = format!("{}{day}.", self.place.name);
        let names = self.names();
        let numbers =
            names.iter().filter_map(|name| name.strip_prefix(&begin)?.get(..4)?.parse().ok());
        numbers.max().map_or(0, |number: u32| number + 1)
    }

    /// The names of the files that are called like these.
    fn names(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.place.folder) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.filter(|name| is_of_place(name, &self.place.name)).collect()
    }

    /// Removes the oldest of the files that are called like these.
    fn remove_old(&self) {
        let Some(kept) = self.place.kept else { return };
        let mut ours = self.names();
        ours.sort_unstable();
        let surplus = ours.len().saturating_sub(kept as usize);
        for name in &ours[..surplus] {
            let path = self.place.folder.join(name);
            if let Err(error) = fs::remove_file(&path) {
                self.tell(&path, &error);
            }
        }
    }

    fn tell(&self, path: &Path, error: &io::Error) {
        if let Telling::Now { more } = self.failures.happened(Instant::now()) {
            let path = path.display().to_string();
            events::request_log_not_written(&path, &error.to_string(), more);
        }
    }
}

/// Whether a file is one of those, and no other that begins alike: day and number are digits.
fn is_of_place(name: &str, begins: &str) -> bool {
    let rest = name.strip_prefix(begins).and_then(|rest| rest.strip_suffix(".txt"));
    let Some((day, number)) = rest.and_then(|rest| rest.split_once('.')) else { return false };
    let digits =
        |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(day, 8) && digits(number, 4)
}

impl LineSink for W3cFiles {
    fn write(&mut self, lines: &str) {
        self.follow_the_day();
        let mut rest = lines;
        while !rest.is_empty() {
            match self.write_some(rest) {
                Ok(left) => rest = left,
                Err(error) => {
                    self.tell(&self.place.folder, &error);
                    // What is open may be of no use: a disk may be another one by now.
                    self.file = None;
                    return;
                }
            }
        }
    }

    /// A file that was renamed is left alone, and the next one begun.
    fn reopen(&mut self) {
        self.file = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "#Version: 1.0\n#Start-Date: 2026-11-29 10:00:00\n#Fields: cs-method\n";

    fn files(folder: &Path, size_limit: Option<u64>, kept: Option<u32>) -> W3cFiles {
        let place =
            W3cPlace { folder: folder.join("logs"), name: "w3c-".to_owned(), size_limit, kept };
        W3cFiles::by(place, "cs-method".to_owned(), || Moment {
            second: 1_795_946_400,
            milliseconds: 0,
        })
    }

    /// What there is, by the end of its name.
    fn found(folder: &Path) -> Vec<(String, String)> {
        let entries = fs::read_dir(folder.join("logs")).unwrap();
        let mut found: Vec<_> = entries
            .map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, fs::read_to_string(&path).unwrap())
            })
            .collect();
        found.sort();
        found
    }

    #[test]
    fn a_file_is_full_once_a_line_has_taken_it_past_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let size = HEAD.len() as u64 + 3;
        let mut files = files(folder.path(), Some(size), None);
        files.write("1\n2\n3\n4\n5\n");
        files.write("6\n");
        assert_eq!(
            found(folder.path()),
            [
                ("w3c-20261129.0000.txt".to_owned(), format!("{HEAD}1\n2\n")),
                ("w3c-20261129.0001.txt".to_owned(), format!("{HEAD}3\n4\n")),
                ("w3c-20261129.0002.txt".to_owned(), format!("{HEAD}5\n6\n")),
            ]
        );
    }

    #[test]
    fn a_size_below_that_of_the_head_lets_a_line_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = files(folder.path(), Some(1), Some(2));
        files.write("1\n2\n3\n");
        assert_eq!(
            found(folder.path()),
            [
                ("w3c-20261129.0001.txt".to_owned(), format!("{HEAD}2\n")),
                ("w3c-20261129.0002.txt".to_owned(), format!("{HEAD}3\n")),
            ]
        );
    }

    #[test]
    fn a_start_takes_the_number_behind_all_others() {
        let folder = tempfile::tempdir().unwrap();
        // The oldest go while the later ones come.
        for start in 0..7 {
            files(folder.path(), None, Some(2)).write(&format!("{start}\n"));
        }
        assert_eq!(
            found(folder.path()),
            [
                ("w3c-20261129.0005.txt".to_owned(), format!("{HEAD}5\n")),
                ("w3c-20261129.0006.txt".to_owned(), format!("{HEAD}6\n")),
            ]
        );
    }

    #[test]
    fn no_file_of_another_is_gone_on_with_or_removed() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        fs::create_dir(&logs).unwrap();
        for name in
            ["w3c-20261129.0000.txt", "w3c-20250101.0007.txt", "w3c-notes.txt", "w3c-20250101.txt"]
        {
            fs::write(logs.join(name), "other").unwrap();
        }
        let mut files = files(folder.path(), None, Some(2));
        files.write("1\n");
        files.reopen();
        files.write("2\n");
        let names: Vec<_> = found(folder.path()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            ["w3c-20250101.txt", "w3c-20261129.0001.txt", "w3c-20261129.0002.txt", "w3c-notes.txt"]
        );
    }
}
