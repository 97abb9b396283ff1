//! What a route changes of answers.

use super::one_transform::OneTransform;
use super::reader::{Numbers, of_words};
use crate::apps::reverse_proxy::transform_options::{
    Change, ResponseChange, ResponseTransform, Transforms, When,
};
use crate::hosting::settings::parse::shown;

/// When an answer is changed, in the order of .NET's numbers.
const WHEN: [(&str, When); 3] =
    [("Always", When::Always), ("Success", When::Success), ("Failure", When::Failure)];

/// Reads a transform of answers.
pub(super) fn read(one: &mut OneTransform<'_, '_, '_>, transforms: &mut Transforms) {
    match one.kind {
        "ResponseHeadersCopy" => {
            transforms.response_headers.all = one.boolean().unwrap_or_default();
        }
        "ResponseTrailersCopy" => {
            transforms.response_trailers.all = one.boolean().unwrap_or_default();
        }
        "ResponseHeadersAllowed" => {
            transforms.response_headers.all = false;
            transforms.response_headers.allowed.extend(one.headers());
        }
        "ResponseTrailersAllowed" => {
            transforms.response_trailers.all = false;
            transforms.response_trailers.allowed.extend(one.headers());
        }
        "ResponseHeader" | "ResponseHeaderRemove" => transforms.response.extend(step(one)),
        _ => transforms.trailers.extend(step(one)),
    }
}

fn step(one: &mut OneTransform<'_, '_, '_>) -> Option<ResponseTransform> {
    let change = match one.kind.ends_with("Remove") {
        true => ResponseChange::Remove,
        false => {
            let (how, setting, text): (Change, _, _) = one.change()?;
            ResponseChange::Value(one.value((setting, text))?, how)
        }
    };
    let when = match one.reader.setting("When") {
        None => When::default(),
        Some((setting, text)) => {
            let when = of_words(text, &WHEN, Numbers::Taken);
            if when.is_none() {
                let text = shown(&setting.key, text);
                let message = format!(
                    "Unexpected value for {}:When: {text}. Expected 'Always', 'Success', or 'Failure'",
                    one.kind
                );
                one.reader.wrong(setting, message, "write Success (below 400), Failure or Always");
            }
            when?
        }
    };
    Some(ResponseTransform { name: one.header()?, change, when })
}
