import Foundation
import LargeFiles
import TestSupport
import Testing

/// What is found is what git finds.
struct AttributeTests {
  private static let paths = [
    "a.bin", "b", "x.BIN", "dir/a.bin", "dir/sub/a.bin", "dir/sub/deep/a.bin", "dir/b", "dir/sub/b",
    "other/dir/a.bin", "a b.bin", "[a].bin", "a-bin", "ä.bin", "dir/x1.bin", "dir/xa.bin",
    "dir/].bin",
    "dir.bin/file", "a*b", "aXb", "-", "dir/a\\b.bin", "\"q\".bin", "dir/#c.bin",
    "aaaaaaaaaaaaaaaaaaaaaaaab",
  ]

  private static let files: [[String: String]] =
    [
      "*.bin filter=lfs diff=lfs merge=lfs -text", "/a.bin filter=lfs", "dir/* filter=lfs",
      "dir/ filter=lfs", "dir/** filter=lfs", "**/a.bin filter=lfs", "dir/**/a.bin filter=lfs",
      "**/dir/*.bin filter=lfs", "dir/su?/b filter=lfs", "dir/x[0-9].bin filter=lfs",
      "dir/x[!0-9].bin filter=lfs", "dir/x[^0-9].bin filter=lfs", "dir/x[[:alpha:]].bin filter=lfs",
      "dir/[]].bin filter=lfs", "dir/[a-].bin filter=lfs", "dir/[ filter=lfs",
      "\"a b.bin\" filter=lfs", "\"\\303\\244.bin\" filter=lfs", "\\[a\\].bin filter=lfs",
      "a\\*b filter=lfs", "\\\"q\\\".bin filter=lfs", "\"\\\"q\\\".bin\" filter=lfs",
      "dir/a\\\\b.bin filter=lfs",
      "*.bin filter=lfs\n/a.bin -filter", "*.bin filter=lfs\n/a.bin !filter",
      "*.bin filter=lfs\n/a.bin filter=other", "*.bin filter=lfs\n/a.bin filter",
      "*.bin filter", "*.bin filter=lfs filter=other", "*.bin filter=other filter=lfs",
      "# *.bin filter=lfs", "  *.bin\tfilter=lfs\r", "!*.bin filter=lfs", "* filter=lfs",
      "** filter=lfs", "/** filter=lfs", "**b filter=lfs", "a**b filter=lfs", "dir/**b filter=lfs",
      "*.bin filter=LFS", "*.bin Filter=lfs", "dir/#c.bin filter=lfs", "?.bin filter=lfs",
      "dir/sub filter=lfs", "*a*a*a*a*a*a*a*a*a*a*a*c filter=lfs", "*a*a*a*a*a*b filter=lfs",
      "[attr]big filter=lfs -text\n*.bin big", "[attr]big filter=lfs\n*.bin big\n/a.bin -big",
      "[attr]big filter=lfs\n*.bin big -filter", "[attr]big -filter\n*.bin filter=lfs big",
      "*.bin binary filter=lfs", "\(String(repeating: "x", count: 2_048)).bin filter=lfs",
    ].map { [".gitattributes": $0 + "\n"] } + [
      [".gitattributes": "*.bin filter=lfs\n", "dir/.gitattributes": "*.bin -filter\n"],
      ["dir/.gitattributes": "*.bin filter=lfs\nsub/b filter=lfs\n/b filter=lfs\n"],
      [
        ".gitattributes": "[attr]big filter=lfs\n", "dir/.gitattributes": "*.bin big\n",
        "dir/sub/.gitattributes": "a.bin !filter\n",
      ],
      ["dir/.gitattributes": "[attr]big filter=lfs\n*.bin big\n"],
      ["dir/sub/.gitattributes": "* filter=lfs\n", ".gitattributes": "dir/sub/b -filter\n"],
    ]

  @Test(arguments: files)
  func `attributes say of each path what git says`(files: [String: String]) throws {
    let folder = try PipelineFolder()
    let repository = try PipelineRepository(making: folder.path("r"), in: folder)
    for (name, text) in files { try repository.write(name, text) }
    var attributes = FilterAttributes<Never> { directory in
      let directory = String(decoding: directory, as: UTF8.self)
      let name = directory.isEmpty ? ".gitattributes" : "\(directory)/.gitattributes"
      return files[name].map { Array($0.utf8) }
    }
    let output = try repository.git(
      "check-attr", "-z", "--stdin", "filter", input: Self.paths.flatMap { Array($0.utf8) + [0] })
    let words = output.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
    for (number, path) in Self.paths.enumerated() {
      #expect(words[3 * number] == path)
      let isLarge = words[3 * number + 2] == "lfs"
      let found = attributes.isLarge(Array(path.utf8))
      #expect(found == isLarge, "\(path)")
    }
  }

  @Test func `a crafted pattern costs no more than another`() {
    let pattern = String(repeating: "*a", count: 500)
    var attributes = FilterAttributes<Never> { _ in Array("\(pattern)b filter=lfs\n".utf8) }
    let path = Array(repeating: UInt8(ascii: "a"), count: 4_000)
    let start = ContinuousClock.now
    let isLarge = attributes.isLarge(path)
    #expect(!isLarge)
    #expect(ContinuousClock.now - start < .seconds(20))
  }
}
