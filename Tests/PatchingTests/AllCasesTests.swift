import Foundation
import Git
import GitModel
import PatchText
import Patching
import TestSupport
import Testing

struct AllCasesTests {
  /// 612 awkward changes: each patch leads to exactly the new tree, here and through `git apply`.
  @Test(arguments: [".s", ".m"])
  func `every case leads to its tree here and in git`(variant: String) throws {
    let cases = PatchCases.all().filter { $0.name.hasSuffix(variant) }
    #expect(cases.count == 306)
    let test = try CaseRepository(cases)
    let repository = try Repository(opening: test.path)
    let objects = repository.objects
    var expected: [ObjectID] = []
    var list = ""
    for (number, each) in cases.enumerated() {
      let old = try Self.tree(repository, each.name + "-A")
      let new = try Self.tree(repository, each.name + "-B")
      let outcome = try TreePatch.make(from: old, to: new, in: objects, limits: .wide)
      guard case .made(let text) = outcome else {
        Issue.record("\(each.name): \(outcome)")
        continue
      }
      #expect(text.isEmpty == (old == new), "\(each.name)")
      let patch = try TreePatch.parse(text, limits: .wide)
      var overlay = ObjectOverlay(over: objects)
      let tree = try TreePatch.apply(patch, to: old, in: &overlay, limits: .wide)
      #expect(tree == new, "\(each.name)")
      if text.isEmpty { continue }
      try Data(text).write(to: URL(fileURLWithPath: "\(test.directory)/\(number).patch"))
      list += "\(old) \(test.directory)/\(number).patch\n"
      expected.append(new)
    }
    let results = try Self.applyWithGit(test, list)
    #expect(results == expected.map(\.hex))
  }

  private static func tree(_ repository: Repository, _ branch: String) throws -> ObjectID {
    try repository.objects.commit(repository.resolve("refs/heads/" + branch)).tree
  }

  /// The trees that `git apply` makes of trees and patch files, in their order.
  private static func applyWithGit(_ test: CaseRepository, _ list: String) throws -> [String] {
    let script = """
      while read -r tree patch; do
        git read-tree "$tree" && git apply --whitespace=nowarn --cached --binary "$patch" && git write-tree || exit 1
      done
      """
    let input = URL(fileURLWithPath: test.directory + "/list")
    try Data(list.utf8).write(to: input)
    let output = try test.run(
      ["env", "GIT_DIR=" + test.path, "sh", "-c", script], input: input)
    return output.split(separator: "\n").map(String.init)
  }
}
