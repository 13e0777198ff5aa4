import GitModel
import Testing
import WorkingTree

@Suite struct RepeatTests {
  private func expected(_ version: TwoVersions) throws -> [Bytes: String] {
    let sandbox = try Sandbox()
    try version.makeTree(in: sandbox)
    return try sandbox.snapshot()
  }

  @Test(arguments: TwoVersions.allCases) func `changes nothing when repeated`(
    to version: TwoVersions
  )
    throws
  {
    let sandbox = try Sandbox()
    try version.makeTree(in: sandbox)
    try sandbox.commit(version.change)
    #expect(try sandbox.snapshot() == expected(version))
  }

  /// A run that ended between two paths has made exactly the change of the paths before.
  @Test(arguments: TwoVersions.allCases) func `completes what ended between two paths`(
    to version: TwoVersions
  ) throws {
    let (change, target) = (version.change, try expected(version))
    let writes = change.writes.sorted { $0.key.description < $1.key.description }
    for count in 0...change.removals.count + writes.count {
      let sandbox = try Sandbox()
      try version.other.makeTree(in: sandbox)
      var part = Change(removals: Array(change.removals.prefix(count)))
      for write in writes.prefix(max(count - change.removals.count, 0)) {
        part.writes[write.key] = write.value
      }
      try sandbox.commit(part)
      try sandbox.commit(change)
      #expect(try sandbox.snapshot() == target)
    }
  }

  @Test func `removes what a killed run left in the staging directory`() throws {
    let sandbox = try Sandbox()
    do {
      _ = try Change(writes: ["a": (.regular, "1"), "b": (.symbolicLink, "2")])
        .staged(in: sandbox.openStaging(), for: sandbox.open())
      #expect(try Disk.names(in: sandbox.staging).count == 2)
    }
    _ = try sandbox.openStaging()
    #expect(try Disk.names(in: sandbox.staging).isEmpty)
    #expect(try Disk.status(sandbox.staging).st_mode & 0o777 == 0o700)
  }

  @Test func `removes what is not to be committed after all`() throws {
    let sandbox = try Sandbox()
    let staging = try sandbox.openStaging()
    _ = try staging.write(.regular, content: [1], for: TreePath("a"), in: sandbox.open())
    try staging.removeAll()
    #expect(try Disk.names(in: sandbox.staging).isEmpty)
  }
}
