"use strict";

// Example questions, one tab each.
window.EXAMPLES = [
  `# 我是谁:令牌对应的账号、岗位和管辖区划
query Me {
  me { account department roles { role title scope } }
}
`,
  `# 查一个人:户籍、家庭成员和办件;在下方 Variables 中填写 {"idNumber": "身份证号"}
query OneResident($idNumber: String!) {
  resident(idNumber: $idNumber) {
    name
    birthDate
    household { address members { name relationToHead } }
    cases(first: 5) { nodes { number status matter { name } } }
  }
}
`,
  `# 本辖区的居民,每页 20 人;看下一页时把 endCursor 填入变量 after
query Residents($after: String) {
  residents(first: 20, after: $after) {
    nodes { name sex birthDate livesInVillage { name } }
    pageInfo { hasNextPage endCursor }
  }
}
`,
  `# 一个事项要交哪些材料
query Materials {
  matters(where: { name: { eq: "临时救助" } }) {
    nodes {
      name
      promisedWorkingDays
      materials { position name required form }
    }
  }
}
`,
  `# 正在办理的办件,最近的在前
query OpenCases {
  cases(first: 20, where: { closedAt: { isNull: true } }, orderBy: [{ appliedAt: DESC }]) {
    nodes { number status promisedOn matter { name } acceptedIn { name } }
  }
}
`,
  `# 各部门系统现在能否使用
query Sources {
  sources { name title state }
}
`,
];
