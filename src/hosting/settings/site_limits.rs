//! The limit that a site has of its own: that of the bodies of its requests. All others hold before it is known
//! for which site a request is.

use super::keys::{Holds, Key, Place, place};
use super::limits;
use super::lists::first_setting;
use super::switched::Switched;
use crate::configuration::near_names::did_you_mean;
use crate::configuration::{Configuration, Problem, Section, Setting, Sourced, keys_equal};
use crate::middleware::RequestSizeLimit;

/// The section, of a site.
const SECTION: &str = "Limits";
const BODY: &str = "Limits:MaxRequestBodySize";

/// The same at the top, where it is all connections'.
const OF_SERVER: &str = "Kestrel:Limits";

/// Reads the section; `None` leaves it to the limit of the server.
pub(super) fn read(
    site: &Configuration,
    problems: &mut Vec<Problem>,
) -> Option<Switched<RequestSizeLimit>> {
    let section = site.section(SECTION);
    problems.extend(section.setting().filter(|it| it.value.is_some()).map(no_section));
    problems.extend(section.children().iter().filter_map(of_connections));
    let setting = site.setting(BODY)?;
    let limit = match limits::max_request_body_size(setting) {
        Ok(Some(bytes)) => RequestSizeLimit::bytes(bytes),
        Ok(None) => RequestSizeLimit::disabled(),
        Err(problem) => {
            problems.push(problem);
            return None;
        }
    };
    let words = Sourced::new(limit.shown(), setting.origin.clone());
    Switched::by(site, BODY, true, limit).map(|it| it.shown(vec![words]))
}

/// What is to be said of another limit. It would hold nothing here, and was meant to.
fn of_connections(child: &Section<'_>) -> Option<Problem> {
    let name = child.name();
    if keys_equal(&format!("{SECTION}:{name}"), BODY) {
        return None;
    }
    let setting = first_setting(child)?;
    let Place::Known(Key { holds: Holds::Names(all, _), .. }) = place(OF_SERVER) else {
        return None;
    };
    let problem =
        |what: String| Problem::error(what).key(child.path()).origin(setting.origin.clone());
    let known = all.iter().find(|row| keys_equal(row.name, name));
    Some(match (known, did_you_mean(name, [&BODY[SECTION.len() + 1..]])) {
        (Some(row), _) => problem(format!("A site has no limit '{}' of its own.", row.name))
            .cause("It holds for connections, before it is known for which site a request is.")
            .fix(format!("write {OF_SERVER}:{}, which counts for all sites", row.name)),
        (None, Some(meant)) => {
            problem(format!("The key '{}' means nothing to the server.", child.path()))
                .fix(format!("did you mean {meant}?"))
        }
        (None, None) => problem(format!("The key '{}' means nothing to the server.", child.path()))
            .fix("remove it; a site has the limit MaxRequestBodySize"),
    })
}

/// A text in the place of the section.
fn no_section(setting: &Setting) -> Problem {
    Problem::error(format!("'{}' is a section: what stands there has no effect.", setting.key))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix("write \"Limits\": { \"MaxRequestBodySize\": 100000000 }")
}
