import GitModel
import LargeFiles
import Testing

struct PointerTests {
  private static let name = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
  private static let text =
    "version https://git-lfs.github.com/spec/v1\noid sha256:\(name)\nsize 12345\n"

  @Test func `the pointer of the specification is read and printed as it is`() throws {
    let pointer = try #require(LargeFilePointer(Array(Self.text.utf8)))
    #expect(pointer.name == Self.name)
    #expect(pointer.byteCount == 12_345)
    #expect(pointer.text == Array(Self.text.utf8))
  }

  @Test(arguments: [
    "", "version https://git-lfs.github.com/spec/v1\n",
    text.replacing("\n", with: "\r\n"), text + "\n", String(text.dropLast()), " " + text,
    text.replacing("spec/v1", with: "spec/v2"), text.replacing("12345", with: "012345"),
    text.replacing("12345", with: "+12345"), text.replacing("12345", with: "-1"),
    text.replacing("12345", with: "0"), text.replacing("12345", with: "99999999999999999999999"),
    text.replacing("12345", with: "70368744177665"), text.replacing("4d7a", with: "4D7A"),
    text.replacing("4d7a", with: "4d7"), text.replacing("sha256", with: "sha512"),
    text.replacing("oid", with: "ext-0-foo sha256:\(name)\noid"),
  ])
  func `what git-lfs would write in another way is no pointer`(text: String) {
    #expect(LargeFilePointer(Array(text.utf8)) == nil)
  }

  @Test func `a content has the pointer that git-lfs gives it`() {
    var hasher = LargeFileHasher()
    hasher.update(Array("hel".utf8).span)
    hasher.update(Array("lo\n".utf8).span)
    let pointer = hasher.finish()
    #expect(
      pointer?.name == "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")
    #expect(pointer?.byteCount == 6)
    #expect(LargeFileHasher().finish() == nil)
  }
}
