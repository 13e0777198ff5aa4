import CGit2

extension Repository {
  /// Gives git a filter of this name in the repository's own configuration, unless it has one from anywhere that is not ours:
  /// `command` with one word behind it, `clean` or `smudge`. What a repository holds names filters, and never says what they
  /// run.
  ///
  /// Source: gitattributes(5), "filter"; git-config(1), `filter.<driver>.clean`.
  package func setFilter(_ name: String, command: String) throws(GitError) {
    guard try configured("filter.\(name).process") == nil else { return }
    // An earlier place of the same program.
    let last = command.split(separator: " ").last.map { " \($0) " } ?? ""
    for word in ["clean", "smudge"] {
      let key = "filter.\(name).\(word)"
      let value = "\(command) \(word)"
      if let found = try configured(key) {
        guard found != value, found.hasSuffix(last + word) else { continue }
      }
      try setLocal(key, value)
    }
  }

  /// `lfs.storage` of git-lfs-config(5), which only this machine's configuration may have; `nil`: the usual place.
  package var configuredLargeFileStorage: String? {
    get throws(GitError) {
      let value = try configured("lfs.storage")
      return value?.isEmpty == true ? nil : value
    }
  }

  private func setLocal(_ key: String, _ value: String) throws(GitError) {
    var configuration: OpaquePointer?
    let action = "configure \(path)"
    try unsafe Libgit2.check(git_repository_config(&configuration, handle), action)
    defer { unsafe git_config_free(configuration) }
    var local: OpaquePointer?
    try unsafe Libgit2.check(
      git_config_open_level(&local, configuration, GIT_CONFIG_LEVEL_LOCAL), action)
    defer { unsafe git_config_free(local) }
    try unsafe Libgit2.check(git_config_set_string(local, key, value), action)
  }
}
