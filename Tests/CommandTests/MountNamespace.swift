import TestSupport

/// Whether a program can be given other files than its machine has, by `unshare --mount`.
enum MountNamespace {
  /// Not without root's rights, and not below a chroot(2) that is no mount of its own.
  static let isPermitted: Bool = {
    do {
      return try PipelineProgram("/usr/bin/unshare", in: PipelineFolder())
        .run(["--mount", "true"]).status == 0
    } catch {
      return false
    }
  }()
}
