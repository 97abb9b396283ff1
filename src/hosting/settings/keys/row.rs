//! What a row is made of, and how one is written.

use crate::configuration::keys_equal;
use crate::server::limit_rules;

/// A key, or a section of keys.
#[derive(Debug)]
pub(crate) struct Key {
    /// Its name, the last part of the key. One in braces stands for any.
    pub(crate) name: &'static str,
    pub(crate) holds: Holds,
    /// When a new value counts; `None` is what the section says that it stands in.
    pub(crate) reload: Option<Effect>,
    /// Whether it means something to this server.
    pub(crate) meaning: Meaning,
    /// Whether it is a setting of the host, which comes by a variable with a prefix.
    pub(crate) is_host_setting: bool,
    #[cfg_attr(not(test), expect(dead_code, reason = "the tables of the documents show it"))]
    pub(crate) default: Default,
    #[cfg_attr(not(test), expect(dead_code, reason = "a test sees that it is never shown"))]
    pub(crate) is_secret: bool,
    /// What other servers, and earlier versions of this kind of server, call it, or a part of it.
    pub(crate) also_called: &'static [(Part, &'static [&'static str])],
    /// What it means, in a line of Markdown.
    #[cfg_attr(not(test), expect(dead_code, reason = "the tables of the documents show it"))]
    pub(crate) line: &'static str,
}

/// What stands at a key.
#[derive(Debug)]
pub(crate) enum Holds {
    /// One text.
    Text(Kind),
    /// A list of texts, each as this row says.
    List(&'static Key),
    /// One text, or a list of texts.
    #[cfg_attr(not(test), expect(dead_code, reason = "the tables of the documents show it"))]
    TextOrList(Kind),
    /// These names.
    Names(&'static [Key], Others),
    /// Any name, such as this one, each as this row says.
    Any(&'static str, &'static Key),
    /// Anything at all.
    Open,
}

/// What a name is that is none of those in a section.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Others {
    /// It may be an app's own.
    AnApps,
    /// It means nothing: nobody else reads this section.
    Nothing,
    /// It has the same below it as this row.
    Like(&'static Key),
}

/// How a text is read.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "the tables of the documents show it"))]
pub(crate) enum Kind {
    /// As it is.
    Text,
    /// As several of these, with `;` between.
    Separated(&'static str),
    /// As a file or a folder, from the content root on.
    Path,
    /// As `true` or `false`.
    Boolean,
    /// As one of these.
    Words(&'static [&'static str]),
    /// As some of these, with `,` between.
    Flags(&'static [&'static str]),
    /// As a status of HTTP that says that a request was not served.
    ErrorStatus,
    /// As a size, in bytes or with its unit.
    Size,
    /// As seconds, or a length of time, of so many seconds at least and at most.
    Seconds(u64, u64),
    /// As a number of this unit.
    Number(&'static str, Range),
    /// As a length of time, `hh:mm:ss`.
    Time(Range),
    /// As a number of this unit, under a rule of the server's.
    Limit(&'static str, &'static limit_rules::Number),
    /// As a length of time, under a rule of the server's.
    TimeLimit(&'static limit_rules::Span),
}

/// Which numbers, or seconds, are taken.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "the tables of the documents show it"))]
pub(crate) enum Range {
    From(u64),
    Above(u64),
    Between(u64, u64),
}

#[cfg(test)]
impl Range {
    /// The least whole number of it.
    pub(crate) fn least(self) -> u64 {
        match self {
            Self::From(least) | Self::Between(least, _) => least,
            Self::Above(most) => most + 1,
        }
    }
}

/// What counts where nothing is set.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "the tables of the documents show it"))]
pub(crate) enum Default {
    Nothing,
    /// The same as with this text.
    Text(&'static str),
    /// What no text says.
    Words(&'static str),
    /// What the rule of the limit says.
    OfLimit,
}

/// What of a key's value stands under a word of other servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// The host of an address.
    Host,
    /// The port of an address.
    Port,
}

/// What a key is to this server.
#[derive(Debug)]
pub(crate) enum Meaning {
    /// It is read.
    Read,
    /// It is .NET's, or the app's, and so no misspelling.
    Nothing,
    /// A feature that is not there yet reads it.
    NotYet(NotYet),
}

/// What is told of a key whose feature is not there yet.
#[derive(Debug)]
pub(crate) struct NotYet {
    /// Texts that ask for nothing.
    pub(crate) harmless: &'static [&'static str],
    /// What goes on without the feature.
    pub(crate) without: &'static str,
    /// What to do until it is there.
    pub(crate) fix: &'static str,
}

/// When the new value of a key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// With the reload; which endpoints it changes is told for themselves.
    Endpoints,
    /// For connections that are accepted from then on.
    NewConnections,
    /// At once.
    AtOnce,
    /// At the next start.
    Restart,
    /// The host does not use it: it is the app's.
    None,
}

impl Key {
    /// Whether the server reads what stands here.
    pub(crate) fn is_read(&self) -> bool {
        !matches!(self.holds, Holds::Open) && !matches!(self.meaning, Meaning::Nothing)
    }

    /// Whether it is all of it that stands under this word of other servers.
    pub(crate) fn is_called(&self, word: &str) -> bool {
        self.part_called(word) == Some(Part::Whole)
    }

    /// What of its value stands under this word of other servers.
    pub(super) fn part_called(&self, word: &str) -> Option<Part> {
        let is_it = |words: &[&str]| words.iter().any(|known| keys_equal(known, word));
        self.also_called.iter().find(|(_, words)| is_it(words)).map(|(part, _)| *part)
    }

    /// The words of other servers for this part of its value.
    pub(super) fn words_for(&self, part: Part) -> &'static [&'static str] {
        self.also_called.iter().find(|(known, _)| *known == part).map_or(&[], |(_, words)| words)
    }

    /// The rows below this one.
    pub(crate) fn below(&self) -> impl Iterator<Item = &'static Self> {
        let (some, one): (&'static [Self], _) = match &self.holds {
            Holds::Names(names, Others::Like(other)) => (names, Some(*other)),
            Holds::Names(names, _) => (names, None),
            Holds::Any(_, each) | Holds::List(each) => (&[], Some(*each)),
            Holds::Text(_) | Holds::TextOrList(_) | Holds::Open => (&[], None),
        };
        some.iter().chain(one)
    }
}

/// A text.
pub(super) const fn text(name: &'static str, kind: Kind, line: &'static str) -> Key {
    row(name, Holds::Text(kind), line)
}

pub(super) const fn boolean(name: &'static str, default: &'static str, line: &'static str) -> Key {
    text(name, Kind::Boolean, line).default(default)
}

/// One of these words.
pub(super) const fn words(
    name: &'static str,
    words: &'static [&'static str],
    line: &'static str,
) -> Key {
    text(name, Kind::Words(words), line)
}

/// A list of texts.
pub(super) const fn list(name: &'static str, each: &'static Key, line: &'static str) -> Key {
    row(name, Holds::List(each), line)
}

pub(super) const fn text_or_list(name: &'static str, kind: Kind, line: &'static str) -> Key {
    row(name, Holds::TextOrList(kind), line)
}

/// A section of these names.
pub(super) const fn names(
    name: &'static str,
    others: Others,
    names: &'static [Key],
    line: &'static str,
) -> Key {
    row(name, Holds::Names(names, others), line)
}

/// A section of any names, such as `example`.
pub(super) const fn any(
    name: &'static str,
    example: &'static str,
    each: &'static Key,
    line: &'static str,
) -> Key {
    row(name, Holds::Any(example, each), line)
}

/// What the server does not look into.
pub(super) const fn open(name: &'static str, line: &'static str) -> Key {
    row(name, Holds::Open, line)
}

/// A key of .NET's that has no meaning here.
pub(super) const fn of_dotnet(name: &'static str) -> Key {
    Key { meaning: Meaning::Nothing, ..text(name, Kind::Text, "") }
}

/// A number of which the server has the rule.
pub(super) const fn limit(name: &'static str, unit: &'static str, line: &'static str) -> Key {
    let kind = Kind::Limit(unit, limit_rules::number(name));
    Key { default: Default::OfLimit, ..text(last(name), kind, line) }
}

/// A time of which the server has the rule.
pub(super) const fn time_limit(name: &'static str, line: &'static str) -> Key {
    let kind = Kind::TimeLimit(limit_rules::span(name));
    Key { default: Default::OfLimit, ..text(last(name), kind, line) }
}

pub(super) const fn rate(line: &'static str) -> Key {
    let kind = Kind::Number("bytes per second", Range::Above(0));
    text("BytesPerSecond", kind, line).default("240")
}

const fn row(name: &'static str, holds: Holds, line: &'static str) -> Key {
    Key {
        name,
        holds,
        reload: None,
        meaning: Meaning::Read,
        is_host_setting: false,
        default: Default::Nothing,
        is_secret: false,
        also_called: &[],
        line,
    }
}

impl Key {
    /// Without it, it is as with this text.
    pub(super) const fn default(self, text: &'static str) -> Self {
        Self { default: Default::Text(text), ..self }
    }

    pub(super) const fn default_in_words(self, words: &'static str) -> Self {
        Self { default: Default::Words(words), ..self }
    }

    pub(super) const fn at_once(self) -> Self {
        Self { reload: Some(Effect::AtOnce), ..self }
    }

    pub(super) const fn at_restart(self) -> Self {
        Self { reload: Some(Effect::Restart), ..self }
    }

    pub(super) const fn for_new_connections(self) -> Self {
        Self { reload: Some(Effect::NewConnections), ..self }
    }

    pub(super) const fn with_endpoints(self) -> Self {
        Self { reload: Some(Effect::Endpoints), ..self }
    }

    pub(super) const fn of_host(self) -> Self {
        Self { is_host_setting: true, ..self }
    }

    pub(super) const fn also_called(
        self,
        words: &'static [(Part, &'static [&'static str])],
    ) -> Self {
        Self { also_called: words, ..self }
    }

    pub(super) const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    pub(super) const fn not_yet(self, feature: NotYet) -> Self {
        Self { meaning: Meaning::NotYet(feature), ..self }
    }
}

/// What stands behind the last colon of a key.
const fn last(key: &'static str) -> &'static str {
    let mut at = key.len();
    while at > 0 && key.as_bytes()[at - 1] != b':' {
        at -= 1;
    }
    key.split_at(at).1
}

/// The names in a list of names and what they mean.
pub(super) const fn first<T, const N: usize>(
    named: &'static [(&'static str, T); N],
) -> [&'static str; N] {
    let mut names = [""; N];
    let mut at = 0;
    while at < N {
        names[at] = named[at].0;
        at += 1;
    }
    names
}
