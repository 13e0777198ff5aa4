import Foundation
import Hooks
import MessageFormat
import Testing

/// What each host says, in the shape of its public schema.
@Suite struct RecognitionTests {
  @Test(arguments: HookSample.all)
  func `an event of a host is recognised`(sample: HookSample) throws {
    let recognition = try Payload.recognise(sample.request(), from: sample.host)
    switch recognition {
    case .push(let push):
      #expect(
        sample.outcome == (push.namesNoRef ? .pushOfAnything : .push(push.refs)), "\(push)")
      #expect(push.repository.isOf(RepositoryAddress(sample.remote)))
      #expect(
        !push.repository.isOf(RepositoryAddress("git@github.com:other/shop.git"))
          || sample.host == .generic)
    case .test: #expect(sample.outcome == .test)
    case .ignored: #expect(sample.outcome == .ignored)
    }
  }

  @Test func `every payload is used`() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Payloads")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    let used = HookSample.all.map { $0.file + ".json" } + ["github-push-another-repository.json"]
    #expect(Set(files) == Set(used))
  }

  @Test(arguments: HookSample.all)
  func `the host is told from its headers, Forgejo and Gitea before GitHub`(
    sample: HookSample
  ) throws {
    let sender = HookHost.sender(of: try sample.request().headers)
    #expect(sender == (sample.host == .generic ? nil : sample.host))
  }

  @Test func `a payload in a form is that in the form's field`() throws {
    let json = String(decoding: try HookSample.body("github-push"), as: UTF8.self)
    var allowed = CharacterSet.alphanumerics
    allowed.insert(charactersIn: "-._*")
    let encoded = try #require(json.addingPercentEncoding(withAllowedCharacters: allowed))
      .replacing("%20", with: "+")
    let request = HookRequest(
      headers: HookHeaders([
        (name: "content-type", value: "application/x-www-form-urlencoded; charset=utf-8"),
        (name: "x-github-event", value: "push"),
      ]), body: Array("a=b&payload=\(encoded)&c".utf8))
    guard case .push(let push) = try Payload.recognise(request, from: .github) else {
      Issue.record("not a push")
      return
    }
    #expect(push.refs == ["refs/heads/main"])
  }

  @Test(arguments: [
    "", "{", "[]", "null", "{\"ref\":\"refs/heads/main\"}", "{\"ref\":12,\"repository\":{}}",
    "{\"repository\":{\"full_name\":\"acme/shop\"}}", "{\"ref\":null,\"repository\":[]}", "\u{0}",
    "{\"ref\":\"refs/heads/main\",\"repository\":{\"full_name\":\"acme/shop\"}} x",
  ])
  func `a payload without what it must have is not understood`(text: String) {
    let request = HookRequest(
      headers: HookHeaders([(name: "X-GitHub-Event", value: "push")]), body: Array(text.utf8))
    #expect(throws: PayloadFlaw.self) { try Payload.recognise(request, from: .github) }
  }

  @Test func `refs that are neither branches nor tags are passed over`() throws {
    for ref in ["refs/notes/commits", "refs/pull/1/head", "main", "refs/heads/", "refs/heads/a b"] {
      let request = HookRequest(
        headers: HookHeaders([(name: String, value: String)]()),
        body: Array(#"{"ref":"\#(ref)"}"#.utf8))
      guard case .push(let push) = try Payload.recognise(request, from: .generic) else {
        Issue.record("not a push")
        return
      }
      #expect(push.refs.isEmpty && !push.namesNoRef, "\(ref)")
    }
  }

  @Test func `an event of another repository is told`() throws {
    let request = HookRequest(
      headers: HookHeaders([(name: "X-GitHub-Event", value: "push")]),
      body: try HookSample.body("github-push-another-repository"))
    guard case .push(let push) = try Payload.recognise(request, from: .github) else {
      Issue.record("not a push")
      return
    }
    #expect(!push.repository.isOf(RepositoryAddress("git@github.com:acme/shop.git")))
    #expect(push.repository.isOf(RepositoryAddress("https://github.com/Acme/Blog")))
  }
}
