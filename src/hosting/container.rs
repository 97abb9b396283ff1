//! Whether this process runs in a container, by the signs that container engines leave.
//!
//! The network of a container is its own: whoever listens on a loopback there is reached by nobody
//! outside, published ports included.

/// What is known of the surroundings.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts<'a> {
    /// The environment variables.
    pub(super) variables: &'a [(String, String)],
    /// Files that container engines make and that are there, such as `/.dockerenv`.
    pub(super) files: &'a [&'static str],
    /// The control groups of this process, as `/proc/self/cgroup` lists them.
    pub(super) control_groups: &'a str,
}

/// The files that Docker and Podman make in every container.
pub(super) const FILES: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];

/// What says that this process runs in a container, if something does. The variable
/// `DOTNET_RUNNING_IN_CONTAINER`, which .NET's images set, decides in either direction.
pub(super) fn sign(facts: Facts<'_>) -> Option<String> {
    const SAID: &str = "DOTNET_RUNNING_IN_CONTAINER";
    const KUBERNETES: &str = "KUBERNETES_SERVICE_HOST";
    let value = |name: &str| {
        let variable = facts.variables.iter().find(|(known, _)| known == name);
        variable.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    };
    let is =
        |value: &str, words: [&str; 2]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
    match value(SAID) {
        Some(said) if is(said, ["true", "1"]) => return Some(format!("{SAID} is {said}")),
        Some(said) if is(said, ["false", "0"]) => return None,
        _ => {}
    }
    if value(KUBERNETES).is_some() {
        return Some(format!("{KUBERNETES} is set"));
    }
    if let Some(file) = facts.files.first() {
        return Some(format!("there is a file {file}"));
    }
    let group = control_group(facts.control_groups)?;
    Some(format!("its control group is {group}"))
}

/// The control group of a container: engines name it by an id of 64 hexadecimal digits, Kubernetes
/// keeps its own below `kubepods`.
fn control_group(groups: &str) -> Option<&str> {
    let is_of_container = |path: &&str| {
        path.split(['/', '-', '.', ':']).any(|part| {
            let is_id = part.len() == 64 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_id || part == "kubepods"
        })
    };
    groups.lines().filter_map(|line| line.splitn(3, ':').nth(2)).find(is_of_container)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_known_by_its_signs() {
        const ID: &str = "6f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8";
        let docker = format!("12:pids:/docker/{ID}\n0::/\n");
        let scope = format!("0::/system.slice/docker-{ID}.scope\n");
        for (variables, files, groups, seen) in [
            (&[][..], &[][..], "0::/\n", None),
            (&[], &["/.dockerenv"], "0::/\n", Some("there is a file /.dockerenv")),
            (&[], &["/run/.containerenv"], "", Some("there is a file /run/.containerenv")),
            (
                &[("KUBERNETES_SERVICE_HOST", "10.0.0.1")],
                &[],
                "",
                Some("KUBERNETES_SERVICE_HOST is set"),
            ),
            (&[("KUBERNETES_SERVICE_HOST", "")], &[], "", None),
            (
                &[("DOTNET_RUNNING_IN_CONTAINER", "true")],
                &[],
                "",
                Some("DOTNET_RUNNING_IN_CONTAINER is true"),
            ),
            (
                &[("DOTNET_RUNNING_IN_CONTAINER", "1")],
                &[],
                "",
                Some("DOTNET_RUNNING_IN_CONTAINER is 1"),
            ),
            (
                &[("DOTNET_RUNNING_IN_CONTAINER", "False"), ("KUBERNETES_SERVICE_HOST", "x")],
                &["/.dockerenv"],
                &*docker,
                None,
            ),
            (
                &[("DOTNET_RUNNING_IN_CONTAINER", "perhaps")],
                &["/.dockerenv"],
                "",
                Some("there is a file /.dockerenv"),
            ),
            (&[], &[], &docker, Some(&*format!("its control group is /docker/{ID}"))),
            (
                &[],
                &[],
                &scope,
                Some(&*format!("its control group is /system.slice/docker-{ID}.scope")),
            ),
            (
                &[],
                &[],
                "11:memory:/kubepods/besteffort/pod1/x\n",
                Some("its control group is /kubepods/besteffort/pod1/x"),
            ),
            (
                &[],
                &[],
                "0::/kubepods.slice/kubepods-pod1.slice",
                Some("its control group is /kubepods.slice/kubepods-pod1.slice"),
            ),
            (&[], &[], "0::/system.slice/docker.service\n", None),
            (&[], &[], "0::/user.slice/user-1000.slice/session-2.scope\n", None),
            (&[], &[], "nonsense\n:\n", None),
        ] {
            let variables: Vec<_> = variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let facts = Facts { variables: &variables, files, control_groups: groups };
            assert_eq!(sign(facts).as_deref(), seen, "{variables:?} {files:?} {groups}");
        }
    }
}
