//! Cases in which ours is to be better than the reference, and what better means.

use serde_json::Value;

use crate::suite::{Line, Ours};

/// How a start that is refused may end: our exit codes by kind, and no signal.
const REFUSED: std::ops::RangeInclusive<i64> = 2..=5;

/// What came of a case whose recording says `better`.
pub(super) fn judge(case: &Line, seen: &Value) -> Ours {
    match case.id.as_str() {
        "li-008" | "li-080" | "li-081" | "li-082" | "li-084" | "li-085" | "li-086" | "li-088"
        | "li-089" | "li-090" => Ours::Instead(refused(case, seen)),
        "li-017" => Ours::Instead(rate_of_the_configuration(seen)),
        "li-021" => Ours::Either(cut(&seen["cut_within_30s"], &seen["client_after_30s"])),
        "li-022" => {
            let early = seen["logged_after_s"].as_f64().is_some_and(|after| after <= 7.7);
            Ours::Either(cut(&early.into(), &seen["client_then"]))
        }
        "li-063" | "li-070" => Ours::Instead(quick_stop(seen)),
        "li-071" => Ours::Instead(second_signal(seen)),
        _ => Ours::Instead(Err("nobody here knows what better means".to_owned())),
    }
}

/// Refused with an exit code of ours, and with the key and the value in what is said.
fn refused(case: &Line, seen: &Value) -> Result<(), String> {
    if seen["started"] != false {
        return Err("it is not to start".to_owned());
    }
    if !seen["exit"].as_i64().is_some_and(|code| REFUSED.contains(&code)) {
        return Err(format!("the exit code is to be one of {REFUSED:?}, not {}", seen["exit"]));
    }
    let lines = || seen["output"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for (name, value) in case.all["options"].as_object().into_iter().flatten() {
        let key = format!("Kestrel:Limits:{}", name.replace("__", ":"));
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !(lines().any(|line| line.contains(&key)) && lines().any(|line| line.contains(&value))) {
            let said = lines().collect::<Vec<_>>().join("\n    ");
            return Err(format!("{key} and {value} are to be said, not\n    {said}"));
        }
    }
    Ok(())
}

/// 1000 bytes a second after two seconds of grace.
fn rate_of_the_configuration(seen: &Value) -> Result<(), String> {
    let client = &seen["client"];
    let after = client["end_s"].as_f64().unwrap_or_default();
    match client["status"][0] == 408 && (1.9..=3.7).contains(&after) {
        true => Ok(()),
        false => Err("408 after two to three seconds".to_owned()),
    }
}

/// A client that reads nothing is cut off.
fn cut(told: &Value, client: &Value) -> Result<(), String> {
    match *told == true && client["end"] == "RST" {
        true => Ok(()),
        false => Err("a client that reads nothing is to be reset in time".to_owned()),
    }
}

/// Half a head does not hold up the stop.
fn quick_stop(seen: &Value) -> Result<(), String> {
    let quick = seen["exit_s"].as_f64().is_some_and(|after| after <= 5.0);
    match seen["exit"] == 0 && quick {
        true => Ok(()),
        false => Err("the stop is not to wait for half a head".to_owned()),
    }
}

/// A second signal ends at once: it is sent a second and a half after the first.
fn second_signal(seen: &Value) -> Result<(), String> {
    let quick = seen["exit_s"].as_f64().is_some_and(|after| after <= 3.0);
    match seen["exit"] == 143 && quick {
        true => Ok(()),
        false => Err("a second signal is to end it at once, with 143".to_owned()),
    }
}

/// The harness's test of this file: every case that is to be better says how.
pub(super) fn check() {
    for case in crate::suite::lines(super::RECORDINGS).expect("the recordings are readable") {
        if case.all["ours"] == "better" {
            let met = match judge(&case, &case.recorded) {
                Ours::Instead(Err(why)) | Ours::Either(Err(why)) => {
                    assert!(!why.contains("nobody"), "{}: {why}", case.id);
                    false
                }
                _ => true,
            };
            // What the reference does is never the better one, but for a client it cuts too late.
            assert!(!met || case.id == "li-022", "{}", case.id);
        }
    }
}
